#include "cryoscape/latent/chain_sampler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/latent/noise.hpp"
#include "cryoscape/latent/partition.hpp"

namespace cryoscape::latent {
namespace {

constexpr std::int64_t kBlock = 4096, kCandidates = 4;  ///< drawn at a time; per sample
constexpr int kLangevinSteps = 2, kSampleSweeps = 5;
constexpr std::int64_t kPartitionSamples = 2048, kAnnealedSamples = 512;
constexpr double kLeastEffectiveShare = 0.1;
constexpr int kTemperatures = 50;
constexpr std::int64_t kObservedChains = 64;
constexpr int kBurnIn = 50, kObservedSweeps = 250;
constexpr double kMostRHat = 1.01, kMostApart = 1;

torch::Tensor resampled(const ChainSampler& sampler, std::int64_t n, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto drawn = sampler.proposal.sample(kCandidates * n, generator);
  const auto log_weights = sampler.proposal.energy(drawn) - sampler.energy(drawn);
  return drawn.index({categorical(torch::softmax(log_weights.to(torch::kFloat64), 0), n, generator)});
}

LogPartition annealed(const ChainSampler& sampler, const torch::Tensor& equilibrated, int temperatures,
                      torch::Generator& generator) {
  double step = sampler.step;
  const auto between = [&](double beta) -> EnergyFunction {
    return [&sampler, beta](const torch::Tensor& u) {
      return (1 - beta) * sampler.proposal.energy(u) + beta * sampler.energy(u);
    };
  };
  AnnealedModel model;
  model.sample_at_zero = [&](std::int64_t n) { return sampler.proposal.sample(n, generator); };
  model.log_weight = [&](const torch::Tensor& u, double beta) { return -between(beta)(u); };
  model.transition = [&](const torch::Tensor& u, double beta) {
    auto walkers = walkers_at(between(beta), u);
    for (int i = 0; i < kLangevinSteps; ++i)
      step = adapted_step(step, adjusted_langevin_step(between(beta), walkers, step, generator));
    return walkers.points;
  };
  return annealed_log_partition(model, equilibrated, temperatures);
}

}  // namespace

void ChainSampler::sweep(Walkers& walkers, torch::Generator& generator) {
  independence_step(energy, proposal, walkers, generator);
  for (int i = 0; i < kLangevinSteps; ++i)
    step = adapted_step(step, adjusted_langevin_step(energy, walkers, step, generator));
}

torch::Tensor equilibrium_samples(ChainSampler sampler, std::int64_t n, torch::Generator& generator) {
  std::vector<torch::Tensor> blocks;
  for (std::int64_t done = 0; done < n || blocks.empty(); done += kBlock) {
    auto walkers = walkers_at(sampler.energy, resampled(sampler, std::min(kBlock, n - done), generator));
    for (int s = 0; s < kSampleSweeps; ++s) sampler.sweep(walkers, generator);
    blocks.push_back(walkers.points);
  }
  return torch::cat(blocks);
}

LogPartition sampled_log_partition(ChainSampler sampler, torch::Generator& generator) {
  const auto samples = equilibrium_samples(sampler, kPartitionSamples, generator);
  const auto plain = annealed(sampler, samples, 1, generator);
  if (plain.effective_samples >= kLeastEffectiveShare * kPartitionSamples) return plain;
  return annealed(sampler, samples.narrow(0, 0, kAnnealedSamples), kTemperatures, generator);
}

ChainMixing mixing_of(const std::vector<torch::Tensor>& steps) {
  const auto record = torch::stack(steps, 1);  // (chains, steps)
  const auto values = values_of(record);
  return mixing_of(ChainValues{values, static_cast<std::size_t>(record.size(0))});
}

ChainMixing observed_mixing(int steps, const std::function<torch::Tensor()>& next) {
  std::vector<torch::Tensor> energies;
  for (int i = 0; i < steps; ++i) energies.push_back(next());
  return mixing_of(energies);
}

ChainMixing observed_mixing(ChainSampler sampler, torch::Generator& generator) {
  auto walkers = walkers_at(sampler.energy, sampler.proposal.sample(kObservedChains, generator));
  for (int s = 0; s < kBurnIn; ++s) sampler.sweep(walkers, generator);
  return observed_mixing(kObservedSweeps, [&] {
    sampler.sweep(walkers, generator);
    return walkers.energy;
  });
}

void record_mixing(nlohmann::json& diagnostics, const std::string& name, const ChainMixing& mixing) {
  diagnostics[name + "_r_hat"] = mixing.r_hat;
  diagnostics[name + "_autocorrelation_time"] = mixing.autocorrelation_time;
}

void report_bracket(nlohmann::json& diagnostics, const std::string& advice) {
  const auto partition = partition_of(diagnostics);
  if (!partition.known())
    diagnostics["warning"] = fmt::format("the prior's log Z is known only to {:.2f} nat: {}",
                                         partition.upper - partition.lower, advice);
}

void report_phases(nlohmann::json& diagnostics, const std::string& advice) {
  const double positive = diagnostics["positive_energy"], negative = diagnostics["negative_energy"];
  if (!(std::abs(positive - negative) <= kMostApart))
    diagnostics["warning"] = fmt::format(
        "the prior's samples have an energy of {:.2f}, data of {:.2f} nat: {}", negative, positive, advice);
}

void report_mixing(nlohmann::json& diagnostics, const ChainMixing& mixing, const std::string& advice) {
  record_mixing(diagnostics, "energy", mixing);
  if (!(mixing.r_hat < kMostRHat))
    diagnostics["warning"] = fmt::format("the prior's chains do not mix (split-R {:.3f}, above {}): {}",
                                         mixing.r_hat, kMostRHat, advice);
  report_bracket(diagnostics, advice);
}

}  // namespace cryoscape::latent
