#include "cryoscape/latent/energy_prior.hpp"

#include <cmath>

#include "cryoscape/latent/batch_density.hpp"
#include "cryoscape/latent/noise.hpp"
#include "cryoscape/latent/partition.hpp"

namespace cryoscape::latent {
namespace {

constexpr std::int64_t kWidth = 200;
constexpr double kLearningRate = 2e-3;
constexpr std::int64_t kImportanceDraws = 256;
constexpr double kPhaseMemory = 0.99;

}  // namespace

EnergyPrior::EnergyPrior(const PriorOptions& options, std::uint64_t seed) : dim_(options.dim) {
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(seed);
  network_ = register_module(
      "network", std::make_shared<Network>(std::vector<std::int64_t>{dim_, kWidth, kWidth, 1}, generator));
  whitening_ = register_module("whitening", std::make_shared<Whitening>(dim_));
  broad_ = register_module("broad", std::make_shared<BroadMixture>(options));
  active_ = register_buffer("active", torch::zeros({1}));
  phases_ = register_buffer("phases", torch::full({2}, 0.5 * static_cast<double>(dim_)));
  steps_ = register_buffer("steps", torch::zeros({1}));
}

torch::Tensor EnergyPrior::unit_energy(const torch::Tensor& u) const {
  return 0.5 * u.pow(2).sum(1) - network_->forward(u).squeeze(1);
}

torch::Tensor EnergyPrior::cross_entropy(const Posterior& q, const Sample& sample) const {
  return active() ? fixed_energy(sample.smooth) : standard_normal_cross_entropy(q);
}

torch::Tensor EnergyPrior::contrast(const Posterior& posterior, const Sample& sample,
                                    torch::Generator& generator) {
  if (!active()) return {};
  const auto u = whitening_->unit(sample.hard.detach());
  return energy_contrast(posterior, u, generator) + broad_->contrast(u, generator);
}

EnergyPrior::ImportancePhase EnergyPrior::importance_phase(const Posterior& posterior, const torch::Tensor& u,
                                                           torch::Generator& generator) const {
  torch::Tensor drawn, log_density;
  {
    torch::NoGradGuard no_grad;
    drawn = torch::cat({broad_->sample(kImportanceDraws, generator), u});
    const auto of_batch = summed_log_density(posterior, whitening_->latent(drawn)) + whitening_->log_volume();
    log_density =
        torch::logaddexp(std::log(static_cast<double>(kImportanceDraws)) - broad_->energy(drawn), of_batch);
  }
  const auto energies = unit_energy(drawn);
  const auto log_weights = -energies - log_density;
  const auto weights = torch::softmax(log_weights.detach(), 0);
  return {torch::logsumexp(log_weights, 0), weights.dot(energies.detach())};
}

ChainSampler EnergyPrior::sampler() const {
  return {[this](const torch::Tensor& u) { return unit_energy(u); }, broad_->proposal()};
}

torch::Tensor EnergyPrior::sample(std::int64_t n, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  return active() ? whitening_->latent(equilibrium_samples(sampler(), n, generator))
                  : normal({n, dim_}, generator, phases_.options());
}

LogPartition EnergyPrior::log_partition() {
  torch::NoGradGuard no_grad;
  if (!active()) return standard_normal_log_partition(dim_);
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(kAnnealingSeed);
  auto z = sampled_log_partition(sampler(), generator);
  const double volume = whitening_->log_volume().item<double>();
  z.value += volume, z.lower += volume, z.upper += volume;
  return z;
}

std::unique_ptr<torch::optim::Optimizer> EnergyPrior::make_optimiser() {
  return std::make_unique<AnnealedAdam>(rated_parameters(), steps_);
}

std::vector<RatedParameters> EnergyPrior::rated_parameters() const {
  return {{network_->parameters(), kLearningRate}, {broad_->parameters(), kLearningRate}};
}

void EnergyPrior::record_phases(const torch::Tensor& positive, const torch::Tensor& negative) {
  torch::NoGradGuard no_grad;
  phases_.mul_(kPhaseMemory).add_((1 - kPhaseMemory) * torch::stack({positive, negative}));
}

void EnergyPrior::start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                             torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  whitening_->fit(means, deviations);
  broad_->start_from(whitening_->unit(means), whitening_->unit_deviation(deviations), generator);
  active_.fill_(1);
}

nlohmann::json EnergyPrior::diagnostics() {
  torch::NoGradGuard no_grad;
  auto json = Prior::diagnostics();
  const auto phases = values_of(phases_);
  json["positive_energy"] = phases[0], json["negative_energy"] = phases[1];
  if (!active()) return json;
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(kAnnealingSeed);
  report_phases(json, advice());
  report_mixing(json, observed_mixing(sampler(), generator), advice());
  return json;
}

}  // namespace cryoscape::latent
