#include "cryoscape/latent/ebm_snl.hpp"

#include "cryoscape/latent/bounded_exp.hpp"

namespace cryoscape::latent {
namespace {

constexpr double kRateOfB = 0.01;

}  // namespace

EbmSnlPrior::EbmSnlPrior(const PriorOptions& options, std::uint64_t seed) : EnergyPrior(options, seed) {
  b_ = register_parameter("b", torch::full({1}, standard_normal_log_partition(dim()).value));
}

torch::Tensor EbmSnlPrior::energy_contrast(const torch::Tensor& u, torch::Generator& generator) {
  const auto positive = unit_energy(u).mean();
  const auto z = importance_phase(generator);
  record_phases(positive, z.energy);
  return positive + b_.squeeze(0) + bounded_exp(z.log_partition - b_.squeeze(0)) - 1;
}

std::unique_ptr<torch::optim::Optimizer> EbmSnlPrior::make_optimiser() {
  auto optimiser = EnergyPrior::make_optimiser();
  auto& all = optimiser->param_groups().front();
  auto& others = all.params();
  std::erase_if(others, [this](const torch::Tensor& p) { return p.is_same(b_); });
  optimiser->add_param_group(
      torch::optim::OptimizerParamGroup({b_}, std::make_unique<torch::optim::AdamOptions>(kRateOfB)));
  return optimiser;
}

nlohmann::json EbmSnlPrior::diagnostics() {
  auto json = EnergyPrior::diagnostics();
  json["learned_log_partition"] = b_.item<double>() + log_volume();
  return json;
}

std::string EbmSnlPrior::advice() const { return "raise --components, or lower --latent-dim"; }

}  // namespace cryoscape::latent
