#include "cryoscape/training/restrained_prior.hpp"

#include <cmath>

#include "cryoscape/latent/batch_density.hpp"
#include "cryoscape/latent/noise.hpp"

namespace cryoscape::training {

torch::Tensor RestrainedDraws::picked(std::int64_t count, torch::Generator& generator) const {
  return z.index({latent::categorical(weights, count, generator)});
}

RestrainedDraws restrained_draws(model::HeterogeneityModel& model, RestraintTerm restraints,
                                 const RestraintSchedule& schedule, std::int64_t n,
                                 double prior_log_partition, const PosteriorDraws& beside,
                                 torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  RestrainedDraws out;
  out.z = model.prior().sample(n, generator);
  auto log_proposed = torch::full({n}, std::log(static_cast<double>(n)), out.z.options());  // over p_E
  if (beside.z.defined()) {
    out.z = torch::cat({out.z, beside.z});
    const auto log_prior = -model.prior().energy(out.z) - prior_log_partition;
    log_proposed = torch::logaddexp(torch::full({}, std::log(static_cast<double>(n)), out.z.options()),
                                    latent::summed_log_density(beside.posterior, out.z) - log_prior);
  }
  const auto energy = restraint_energy(model.decode(out.z), restraints, schedule, structure::Moments::keep);
  // A structure out of all bounds has no energy, and no weight.
  const auto log_weight =
      torch::where(torch::isfinite(energy), -energy - log_proposed, torch::full_like(energy, -1e30))
          .to(torch::kFloat64);
  out.log_mean = torch::logsumexp(log_weight, 0);
  out.weights = torch::softmax(log_weight, 0);
  // Delta method: the relative error of the mean of the weights.
  const double effective = 1 / out.weights.pow(2).sum().item<double>();
  out.standard_error = std::sqrt(std::max(0.0, 1 / effective - 1 / static_cast<double>(out.z.size(0))));
  return out;
}

}  // namespace cryoscape::training
