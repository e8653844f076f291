#pragma once
#include "cryoscape/model/heterogeneity_model.hpp"
#include "cryoscape/torch.hpp"
#include "cryoscape/training/objective.hpp"

namespace cryoscape::training {

/// With --energy-in-prior the density of latents is p(z) = e^{−E(z) − R(x(z))}/Z, R the restraints' energy of
/// the decoded structure. What differs from the prior p_E = e^{−E}/Z_E alone is estimated from draws of that
/// and of particles' posteriors q_j together, as densities may be narrow beside the prior: weights are
/// w ∝ e^{−R} p_E/(n p_E + Σ_j q_j) (Veach & Guibas 1995), and ln Z = ln Z_E + ln ⟨e^{−R}⟩.
struct RestrainedDraws {
  torch::Tensor z;            ///< (n + B, d)
  torch::Tensor weights;      ///< (n + B), sum 1
  torch::Tensor log_mean;     ///< ln ⟨e^{−R}⟩
  double standard_error = 0;  ///< of log_mean

  /// Equally likely draws of p(z) itself, (count, d): picked by weight, with replacement.
  torch::Tensor picked(std::int64_t count, torch::Generator& generator) const;
};

/// Particles' posteriors and a hard draw (B, d) from each; none where undefined.
struct PosteriorDraws {
  latent::Posterior posterior;
  torch::Tensor z;
};

/// n draws of the prior alone, whose log Z is given, beside those of posteriors. The running variance of the
/// edges stays as it is, and so does the decoder: nothing here has a gradient.
RestrainedDraws restrained_draws(model::HeterogeneityModel& model, RestraintTerm restraints,
                                 const RestraintSchedule& schedule, std::int64_t n,
                                 double prior_log_partition, const PosteriorDraws& beside,
                                 torch::Generator& generator);

}  // namespace cryoscape::training
