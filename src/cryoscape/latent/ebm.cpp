#include "cryoscape/latent/ebm.hpp"

#include "cryoscape/latent/noise.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::latent {
namespace {

constexpr int kMostImportanceDimensions = 10;
constexpr std::int64_t kMoved = 128;     ///< persistent chains moved and used per training step
constexpr std::int64_t kShortRuns = 16;  ///< per training step
constexpr double kShortRunStep = 0.4, kMagnitude = 0.05;

}  // namespace

EbmPrior::EbmPrior(const PriorOptions& options, std::uint64_t seed)
    : EnergyPrior(options, seed), training_(options.ebm_training), langevin_steps_(options.langevin_steps) {
  if (training_ == "importance" && options.dim > kMostImportanceDimensions)
    throw UsageError(
        fmt::format("--ebm-training importance is for up to {} latent dimensions, not {}: use "
                    "persistent",
                    kMostImportanceDimensions, options.dim));
  if (training_ != "persistent") return;
  chains_ = register_buffer("chains", torch::zeros({options.chains, dim()}));
  position_ = register_buffer("position", torch::tensor({0.0, 0.3}, torch::kFloat32));
}

void EbmPrior::start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                          torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  EnergyPrior::start_from(means, deviations, generator);
  if (chains_.defined()) chains_.copy_(equilibrium_samples(sampler(), chains_.size(0), generator));
}

torch::Tensor EbmPrior::next_chains(torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto all = chains_.size(0), count = std::min(kMoved, all);
  const auto rows = (torch::arange(count, torch::kInt64) + position_[0].item<std::int64_t>()).remainder(all);
  auto chains = sampler();
  chains.step = position_[1].item<double>();
  auto walkers = walkers_at(chains.energy, chains_.index({rows}));
  chains.sweep(walkers, generator);
  chains_.index_put_({rows}, walkers.points);
  position_[0] = (position_[0].item<std::int64_t>() + count) % all;
  position_[1] = chains.step;
  return walkers.points;
}

torch::Tensor EbmPrior::short_run(torch::Generator& generator) const {
  const auto chains = sampler();
  auto walkers = walkers_at(chains.energy, normal({kShortRuns, dim()}, generator, noise_like()));
  for (int i = 0; i < langevin_steps_; ++i) langevin_step(chains.energy, walkers, kShortRunStep, generator);
  return walkers.points;
}

torch::Tensor EbmPrior::energy_contrast(const Posterior& posterior, const torch::Tensor& u,
                                        torch::Generator& generator) {
  const auto positive = unit_energy(u);
  if (training_ == "importance") {
    const auto z = importance_phase(posterior, u, generator);
    record_phases(positive.mean(), z.energy);
    return positive.mean() + z.log_partition;
  }
  const bool short_runs = training_ == "langevin";
  const auto negative = unit_energy(short_runs ? short_run(generator) : next_chains(generator));
  record_phases(positive.mean(), negative.mean());
  auto loss = positive.mean() - negative.mean();
  // Nothing else keeps energies bounded that runs do not reach (Du & Mordatch 2019).
  if (short_runs) loss = loss + kMagnitude * (positive.pow(2).mean() + negative.pow(2).mean());
  return loss;
}

std::string EbmPrior::advice() const {
  if (training_ == "langevin") return "use --ebm-training persistent, or lower --latent-dim";
  return "raise --components, or lower --latent-dim";
}

}  // namespace cryoscape::latent
