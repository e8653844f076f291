#pragma once
#include "cryoscape/model/heterogeneity_model.hpp"
#include "cryoscape/torch.hpp"
#include "cryoscape/training/objective.hpp"

namespace cryoscape::training {

/// With --energy-in-prior the density of latents is p(z) = e^{−E(z) − R(x(z))}/Z, R the restraints' energy of
/// the decoded structure. What differs from the prior e^{−E}/Z_E alone is estimated from draws of that: their
/// weights are w ∝ e^{−R}, and ln Z = ln Z_E + ln ⟨e^{−R}⟩.
struct RestrainedDraws {
  torch::Tensor z;            ///< (n, d) draws of the prior alone
  torch::Tensor weights;      ///< (n), sum 1
  torch::Tensor log_mean;     ///< ln ⟨e^{−R}⟩, differentiable in the decoder
  double standard_error = 0;  ///< of log_mean

  /// Equally likely draws of p(z) itself, (count, d): picked by weight, with replacement.
  torch::Tensor picked(std::int64_t count, torch::Generator& generator) const;
};

/// n draws. The running variance of the edges stays as it is.
RestrainedDraws restrained_draws(model::HeterogeneityModel& model, RestraintTerm restraints,
                                 const RestraintSchedule& schedule, std::int64_t n,
                                 torch::Generator& generator);

}  // namespace cryoscape::training
