#include "cryoscape/latent/diffusion_ebm.hpp"

#include <cmath>

#include "cryoscape/latent/annealed_adam.hpp"
#include "cryoscape/latent/bounded_exp.hpp"
#include "cryoscape/latent/chain_sampler.hpp"
#include "cryoscape/latent/noise.hpp"
#include "cryoscape/latent/partition.hpp"

namespace cryoscape::latent {
namespace {

constexpr std::int64_t kWidth = 200;
constexpr double kLearningRate = 2e-3, kMemory = 0.99;
/// Ratios of signal to noise variance of the first and the last level of noise.
constexpr double kFirstRatio = 50, kLastRatio = 0.01;
constexpr std::int64_t kPulls = 2;       ///< draws of the pull per particle and step
constexpr std::int64_t kCandidates = 8;  ///< that a conditional's start is chosen from
constexpr int kLangevinSteps = 3;        ///< per level
constexpr double kStep = 0.7;            ///< as a share of the pull's width
constexpr std::int64_t kPartitionSamples = 1000;

/// Square roots of the share of signal, from 1, the logarithm of signal to noise falling evenly.
std::vector<double> schedule(int levels) {
  std::vector<double> out{1};
  for (int t = 1; t <= levels; ++t) {
    const double done = static_cast<double>(t - 1) / (levels - 1);
    const double ratio = kFirstRatio * std::pow(kLastRatio / kFirstRatio, done);
    out.push_back(std::sqrt(ratio / (1 + ratio)));
  }
  return out;
}

}  // namespace

DiffusionEbmPrior::DiffusionEbmPrior(const PriorOptions& options, std::uint64_t seed)
    : dim_(options.dim), signal_(schedule(options.noise_levels)) {
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(seed);
  const std::vector<std::int64_t> widths{dim_ + levels(), kWidth, kWidth, 1};
  network_ = register_module("network", std::make_shared<Network>(widths, generator));
  whitening_ = register_module("whitening", std::make_shared<Whitening>(dim_));
  active_ = register_buffer("active", torch::zeros({1}));
  means_ = register_buffer("means", torch::zeros({2}));
  steps_ = register_buffer("steps", torch::zeros({1}));
}

double DiffusionEbmPrior::kept(std::int64_t level) const {
  const auto t = static_cast<std::size_t>(level);
  return signal_[t + 1] / signal_[t];
}

torch::Tensor DiffusionEbmPrior::potential(const torch::Tensor& u, const torch::Tensor& levels) const {
  // The last level is pure noise, whose potential is 0.
  const auto which = torch::one_hot(levels, this->levels() + 1).to(u.dtype());
  const auto input = torch::cat({u, which.narrow(1, 0, this->levels())}, 1);
  const auto f = network_->forward(input).squeeze(1);
  return f.masked_fill(levels == this->levels(), 0);
}

EnergyFunction DiffusionEbmPrior::level_energy(std::int64_t level) const {
  return [this, level](const torch::Tensor& u) {
    const auto which = torch::full({u.size(0)}, level, u.options().dtype(torch::kInt64));
    return 0.5 * u.pow(2).sum(1) - potential(u, which);
  };
}

torch::Tensor DiffusionEbmPrior::energy(const torch::Tensor& z) const {
  return active() ? level_energy(0)(whitening_->unit(z)) : 0.5 * z.pow(2).sum(1);
}

torch::Tensor DiffusionEbmPrior::cross_entropy(const Posterior& q, const Sample& sample) const {
  return active() ? fixed_energy(sample.smooth) : standard_normal_cross_entropy(q);
}

torch::Tensor DiffusionEbmPrior::contrast(const Posterior&, const Sample& sample,
                                          torch::Generator& generator) {
  if (!active()) return {};
  const auto u = whitening_->unit(sample.hard.detach());
  // One level for every particle.
  const auto t = torch::randint(levels(), {u.size(0)}, generator, torch::kInt64);
  const auto table = torch::tensor(signal_, torch::kFloat64);
  const auto column = [&](const torch::Tensor& values) { return values.to(u.options()).unsqueeze(1); };
  const auto signal = table.index({t}), next = table.index({t + 1}) / signal;
  const auto a = column(next), width = column(torch::sqrt(1 - next * next));
  const auto at = column(signal) * u + column(torch::sqrt(1 - signal * signal)) * normal_like(u, generator);
  const auto noisier = a * at + width * normal_like(u, generator);
  std::vector<torch::Tensor> points{at, noisier}, levels_of{t, t + 1};
  for (std::int64_t k = 0; k < kPulls; ++k) {
    points.push_back(a * noisier + width * normal_like(u, generator));
    levels_of.push_back(t);
  }
  const auto f = potential(torch::cat(points), torch::cat(levels_of).to(u.device())).view({2 + kPulls, -1});
  const auto disagreement = bounded_exp(f.narrow(0, 2, kPulls) - f[1]).mean() - 1;
  {
    torch::NoGradGuard no_grad;
    means_.mul_(kMemory).add_((1 - kMemory) *
                              torch::stack({energy(sample.hard.detach()).mean(), disagreement}));
  }
  return (f[1] - f[0]).mean() + disagreement;
}

torch::Tensor DiffusionEbmPrior::denoise(const torch::Tensor& noisier, std::int64_t level,
                                         torch::Generator& generator) const {
  torch::NoGradGuard no_grad;
  const double a = kept(level), variance = 1 - a * a;
  const auto pull = a * noisier;
  const auto drawn = pull.repeat({kCandidates, 1});
  const auto candidates = drawn + std::sqrt(variance) * normal_like(drawn, generator);
  const auto which = torch::full({drawn.size(0)}, level, drawn.options().dtype(torch::kInt64));
  const auto weights = torch::softmax(potential(candidates, which).view({kCandidates, -1}), 0);
  const auto chosen = choose(weights.t(), generator);
  const auto start = candidates.view({kCandidates, -1, dim_})
                         .index({chosen, torch::arange(noisier.size(0), chosen.options())});
  const auto conditional = [&](const torch::Tensor& u) {
    return 0.5 * (u - pull).pow(2).sum(1) / variance - potential(u, which.narrow(0, 0, u.size(0)));
  };
  auto walkers = walkers_at(conditional, start);
  for (int i = 0; i < kLangevinSteps; ++i)
    adjusted_langevin_step(conditional, walkers, kStep * std::sqrt(variance), generator);
  return walkers.points;
}

torch::Tensor DiffusionEbmPrior::unit_sample(std::int64_t n, torch::Generator& generator) const {
  torch::NoGradGuard no_grad;
  auto u = normal({n, dim_}, generator, means_.options());
  for (auto t = levels() - 1; t >= 0; --t) u = denoise(u, t, generator);
  return u;
}

torch::Tensor DiffusionEbmPrior::sample(std::int64_t n, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  return active() ? whitening_->latent(unit_sample(n, generator))
                  : normal({n, dim_}, generator, means_.options());
}

LogPartition DiffusionEbmPrior::log_partition() {
  torch::NoGradGuard no_grad;
  if (!active()) return standard_normal_log_partition(dim_);
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(kAnnealingSeed);
  const auto at = [&](double beta) { return std::lround((1 - beta) * static_cast<double>(levels())); };
  double step = kStep;
  AnnealedModel model;
  model.log_partition_at_zero = standard_normal_log_partition(dim_).value;
  model.sample_at_zero = [&](std::int64_t n) { return normal({n, dim_}, generator, means_.options()); };
  model.log_weight = [&](const torch::Tensor& u, double beta) { return -level_energy(at(beta))(u); };
  model.transition = [&](const torch::Tensor& u, double beta) {
    const auto energy = level_energy(at(beta));
    auto walkers = walkers_at(energy, u);
    for (int i = 0; i < kLangevinSteps; ++i)
      step = adapted_step(step, adjusted_langevin_step(energy, walkers, step, generator));
    return walkers.points;
  };
  auto z =
      annealed_log_partition(model, unit_sample(kPartitionSamples, generator), static_cast<int>(levels()));
  const double volume = whitening_->log_volume().item<double>();
  z.value += volume, z.lower += volume, z.upper += volume;
  return z;
}

std::unique_ptr<torch::optim::Optimizer> DiffusionEbmPrior::make_optimiser() {
  return std::make_unique<AnnealedAdam>(std::vector<RatedParameters>{{parameters(), kLearningRate}}, steps_);
}

void DiffusionEbmPrior::start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                                   torch::Generator&) {
  whitening_->fit(means, deviations);
  active_.fill_(1);
}

nlohmann::json DiffusionEbmPrior::diagnostics() {
  torch::NoGradGuard no_grad;
  auto json = Prior::diagnostics();
  const auto means = values_of(means_);
  json["positive_energy"] = means[0], json["disagreement_of_levels"] = means[1];
  if (!active()) return json;
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(kAnnealingSeed);
  json["negative_energy"] = level_energy(0)(unit_sample(kPartitionSamples, generator)).mean().item<double>();
  report_phases(json, "train longer, or raise --noise-levels");
  report_bracket(json, "raise --noise-levels");
  return json;
}

}  // namespace cryoscape::latent
