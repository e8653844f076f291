#include "cryoscape/latent/ising_correction.hpp"

#include <algorithm>

#include "cryoscape/latent/ising_beta.hpp"
#include "cryoscape/latent/ising_chains.hpp"
#include "cryoscape/latent/mixing.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::latent {
namespace {

constexpr int kFirstSweeps = 32, kMostWatched = 512, kWatchedTimes = 128;
/// Apart from the streams of the samplers, whose seed this may be.
constexpr std::uint64_t kCorrectionStreams = std::uint64_t{1} << 60;

/// Energies of chains, chain after chain, at kWatchedTimes even distances while they sweep, or at every
/// sweep.
struct Watched {
  std::vector<double> values;
  std::size_t chains;
};

Watched watch(IsingChains& chains, const IsingGraph& graph, double beta, int sweeps) {
  const int distance = std::max(1, sweeps / kWatchedTimes);
  const auto times = static_cast<std::size_t>(sweeps / distance),
             watched = static_cast<std::size_t>(std::min(chains.count(), kMostWatched));
  std::vector<double> values(watched * times);
  for (std::size_t t = 0; t < times; ++t) {
    chains.sweep(graph, beta, distance);
    const auto energies = chains.energies(graph);
    for (std::size_t k = 0; k < watched; ++k) values[k * times + t] = energies[k * energies.size() / watched];
  }
  return {std::move(values), watched};
}

}  // namespace

CorrectedSamples corrected(const IsingProblem& problem, const IsingSamples& raw, std::uint64_t seed,
                           int most) {
  const IsingGraph graph(problem);
  std::vector<std::int8_t> states;
  for (int k = 0; k < std::max(raw.count(), kIsingLanes); ++k) {
    const auto sample = raw.sample(k % raw.count());
    states.insert(states.end(), sample.begin(), sample.end());
  }
  IsingChains chains(problem.spins(), static_cast<int>(states.size()) / problem.spins(), seed,
                     kCorrectionStreams);
  chains.set(states);
  double r_hat = 0;
  int sweeps = kFirstSweeps / 2;
  chains.sweep(graph, problem.beta, sweeps);
  while (2 * sweeps <= most) {
    const auto [values, watched] = watch(chains, graph, problem.beta, sweeps);
    r_hat = split_r_hat({values, watched});
    sweeps *= 2;
    if (r_hat > kMixed) continue;
    chains.get(states);
    states.resize(raw.values.size());
    return {with_beta(problem, std::move(states), raw.log_partition), sweeps};
  }
  fail(
      "the samples are not corrected after {} Gibbs sweeps (split-R-hat of energies {:.3f}, wanted {}): "
      "raise "
      "--correction-limit, or print them as they are with --raw",
      sweeps, r_hat, kMixed);
}

}  // namespace cryoscape::latent
