#include "cryoscape/latent/ebm_snl.hpp"

#include "cryoscape/latent/bounded_exp.hpp"

namespace cryoscape::latent {
namespace {

constexpr double kRateOfB = 0.01;

}  // namespace

EbmSnlPrior::EbmSnlPrior(const PriorOptions& options, std::uint64_t seed) : EnergyPrior(options, seed) {
  b_ = register_parameter("b", torch::full({1}, standard_normal_log_partition(dim()).value));
}

torch::Tensor EbmSnlPrior::energy_contrast(const Posterior& posterior, const torch::Tensor& u,
                                           torch::Generator& generator) {
  const auto positive = unit_energy(u).mean();
  const auto z = importance_phase(posterior, u, generator);
  record_phases(positive, z.energy);
  return positive + b_.squeeze(0) + bounded_exp(z.log_partition - b_.squeeze(0)) - 1;
}

std::vector<RatedParameters> EbmSnlPrior::rated_parameters() const {
  auto groups = EnergyPrior::rated_parameters();
  groups.push_back({{b_}, kRateOfB});
  return groups;
}

nlohmann::json EbmSnlPrior::diagnostics() {
  auto json = EnergyPrior::diagnostics();
  json["learned_log_partition"] = b_.item<double>() + log_volume();
  return json;
}

std::string EbmSnlPrior::advice() const { return "raise --components, or lower --latent-dim"; }

}  // namespace cryoscape::latent
