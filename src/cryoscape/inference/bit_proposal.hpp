#pragma once
#include "cryoscape/latent/prior.hpp"
#include "cryoscape/model/heterogeneity_model.hpp"
#include "cryoscape/particles/batch.hpp"

namespace cryoscape::inference {

/// The encoder's posterior (B, d) of latents with bits from its means and standard deviations, as independent
/// ones. Probabilities of bits are held within 1 % of certainty, so that a proposal can leave them.
latent::Posterior independent_posterior(std::int64_t bits, const torch::Tensor& means,
                                        const torch::Tensor& deviations);

/// Mean field through the decoder: `iterations` damped updates of independent bits and Gaussians towards the
/// posterior of every particle of the batch. With the likelihood's expansion at the means μ, and z_i² = z_i,
///   logit q_i ← s_i + (μ_i − ½) F_ii − [E(μ, z_i = 1) − E(μ, z_i = 0)],
/// and the reals take a Gauss–Newton step; their deviations are those of (F + Λ)⁻¹.
latent::Posterior mean_field(model::HeterogeneityModel& model, const particles::Batch& batch,
                             const latent::Posterior& start, int iterations);

/// n hard draws from each particle's proposal ½ q₁ + ½ q₂, half from either, scored against its image.
struct ProposalDraws {
  torch::Tensor latents;       ///< (B, n, d) float32
  torch::Tensor log_proposal;  ///< (B, n) ln(½ q₁ + ½ q₂) float64
  torch::Tensor log_ratio;     ///< (B, n) ln p(x|z) − ln p(x|no particle) float64
};
ProposalDraws scored_draws(model::HeterogeneityModel& model, const particles::Batch& batch,
                           const latent::Posterior& first, const latent::Posterior& second, std::int64_t n,
                           torch::Generator& generator);

}  // namespace cryoscape::inference
