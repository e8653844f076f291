#include "cryoscape/latent/prior.hpp"

#include <cmath>
#include <numbers>

#include "cryoscape/latent/noise.hpp"
#include "cryoscape/latent/priors.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::latent {

Sample Prior::draw(const Posterior& posterior, torch::Generator& generator, const BatchPart& part) const {
  const auto noise = normal_like(posterior.mean, generator, part);
  const auto z = posterior.mean + torch::exp(posterior.log_std) * noise;
  return {z, z};
}

Sample Prior::draw_hard(const Posterior& posterior, torch::Generator& generator,
                        const BatchPart& part) const {
  return draw(posterior, generator, part);
}

void Prior::after_warm_up(const torch::Tensor& means, const torch::Tensor& deviations,
                          torch::Generator& generator) {
  const auto finite = torch::logical_and(torch::isfinite(means), torch::isfinite(deviations)).all(1);
  if (finite.any().item<bool>()) start_from(means.index({finite}), deviations.index({finite}), generator);
}

nlohmann::json Prior::diagnostics() {
  const auto z = log_partition();
  return {{"log_partition", z.value}, {"log_partition_lower", z.lower}, {"log_partition_upper", z.upper}};
}

torch::Tensor GaussianPrior::cross_entropy(const Posterior& q, const Sample&) const {
  return 0.5 * (q.mean.pow(2) + torch::exp(2 * q.log_std)).sum(1);
}

torch::Tensor GaussianPrior::sample(std::int64_t n, torch::Generator& generator) {
  return torch::randn({n, dim_}, generator);
}

LogPartition GaussianPrior::log_partition() {
  const double value = 0.5 * static_cast<double>(dim_) * std::log(2 * std::numbers::pi);
  return {value, value, value, true};
}

std::vector<double> values_of(const torch::Tensor& tensor) {
  const auto values = tensor.detach().to(torch::kCPU, torch::kFloat64).contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

std::shared_ptr<Prior> make_prior(const PriorOptions& options, std::uint64_t seed) {
  if (options.kind == "gaussian") return std::make_shared<GaussianPrior>(options);
  if (options.kind == "mixture") return std::make_shared<MixturePrior>(options);
  if (options.kind == "gbrbm") return std::make_shared<GaussianBernoulliRbm>(options, seed);
  if (options.kind == "rbm") return std::make_shared<RestrictedBoltzmann>(options, seed);
  fail("--prior is '{}', which does not exist", options.kind);
}

}  // namespace cryoscape::latent
