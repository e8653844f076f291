#pragma once
#include <torch/torch.h>

namespace cryoscape::latent {

enum class Family { gaussian, bernoulli };

/// Factorised q(z|x) of a batch.
struct Posterior {
  Family family = Family::gaussian;
  torch::Tensor mean;     ///< (B, d): means, or the bits' logits
  torch::Tensor log_std;  ///< (B, d), Gaussian family only
};

/// A draw from q: what the energy is evaluated at and what the decoder gets.
struct Sample {
  torch::Tensor hard;    ///< (B, d): z, or bits in {0, 1}
  torch::Tensor smooth;  ///< (B, d): the same z, or smoothed bits in [0, 1], differentiable in the posterior
};

/// Which rows of a larger batch a posterior holds: [first, first + rows) of `whole`. Noise is drawn for the
/// whole batch, so that what a row gets does not depend on how the batch is shared out.
struct BatchPart {
  std::int64_t first = 0;
  std::int64_t whole = -1;  ///< -1: the posterior's own number of rows
};

/// Differential entropy of a Gaussian family, entropy of bits; nats, (B).
torch::Tensor entropy(const Posterior& posterior);

/// Standard uniform or normal noise of a shape (B, d) from a generator of its own: the part's rows of the
/// noise of the whole batch.
torch::Tensor uniform_like(const torch::Tensor& shape, torch::Generator& generator,
                           const BatchPart& part = {});
torch::Tensor normal_like(const torch::Tensor& shape, torch::Generator& generator,
                          const BatchPart& part = {});

/// Overlapping-exponential smoothing of DVAE++ (Vahdat et al. 2018): ζ(ρ, q), the inverse CDF of (1 − q) r₀ +
/// q r₁ with r₁(ζ) ∝ e^{β(ζ−1)}, r₀(ζ) = r₁(1 − ζ); differentiable in q.
torch::Tensor overlapping_exponential(const torch::Tensor& q, const torch::Tensor& rho, double beta);

}  // namespace cryoscape::latent
