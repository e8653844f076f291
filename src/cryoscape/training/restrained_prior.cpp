#include "cryoscape/training/restrained_prior.hpp"

#include <cmath>

#include "cryoscape/latent/noise.hpp"

namespace cryoscape::training {

torch::Tensor RestrainedDraws::picked(std::int64_t count, torch::Generator& generator) const {
  return z.index({latent::categorical(weights, count, generator)});
}

RestrainedDraws restrained_draws(model::HeterogeneityModel& model, RestraintTerm restraints,
                                 const RestraintSchedule& schedule, std::int64_t n,
                                 torch::Generator& generator) {
  RestrainedDraws out;
  out.z = model.prior().sample(n, generator).detach();
  const auto energy = restraint_energy(model.decode(out.z), restraints, schedule, structure::Moments::keep);
  // A structure out of all bounds has no energy, and no weight.
  const auto log_weight =
      torch::where(torch::isfinite(energy), -energy, torch::full_like(energy, -1e30)).to(torch::kFloat64);
  out.log_mean = torch::logsumexp(log_weight, 0) - std::log(static_cast<double>(n));
  out.weights = torch::softmax(log_weight.detach(), 0);
  // Delta method: the relative error of the mean of the weights.
  const double effective = 1 / out.weights.pow(2).sum().item<double>();
  out.standard_error = std::sqrt(std::max(0.0, 1 / effective - 1 / static_cast<double>(n)));
  return out;
}

}  // namespace cryoscape::training
