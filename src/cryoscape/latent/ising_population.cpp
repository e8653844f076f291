#include "cryoscape/latent/ising_population.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/latent/ising_beta.hpp"
#include "cryoscape/latent/ising_chains.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::latent {
namespace {

constexpr std::uint64_t kResamplingStream = std::uint64_t{1} << 61;

/// Weights e^{−step·E} of all states.
struct Weights {
  std::vector<double> values;  ///< relative to the largest
  double log_mean = 0;
  double worth = 1;  ///< (Σw)²/Σw² over the number of states
};

Weights weigh(std::span<const double> energies, double step) {
  Weights w;
  const double lowest = *std::min_element(energies.begin(), energies.end());
  double sum = 0, squares = 0;
  for (const double e : energies) {
    w.values.push_back(std::exp(-step * (e - lowest)));
    sum += w.values.back();
    squares += w.values.back() * w.values.back();
  }
  const double count = static_cast<double>(energies.size());
  w.log_mean = std::log(sum / count) - step * lowest;
  w.worth = sum * sum / (squares * count);
  return w;
}

/// The largest step up to `most` that leaves the weights worth `worth`.
double next_step(std::span<const double> energies, double most, double worth) {
  if (weigh(energies, most).worth >= worth) return most;
  double low = 0, high = most;
  for (int k = 0; k < 40; ++k) {
    const double middle = 0.5 * (low + high);
    (weigh(energies, middle).worth >= worth ? low : high) = middle;
  }
  return high;
}

/// Systematic resampling: how often a state is taken differs by less than one from its share.
std::vector<int> draw_parents(std::span<const double> weights, double u) {
  double sum = 0, before = 0;
  for (const double w : weights) sum += w;
  std::vector<int> parents;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    before += weights[k] / sum * static_cast<double>(weights.size());
    while (parents.size() < weights.size() && static_cast<double>(parents.size()) + u < before)
      parents.push_back(static_cast<int>(k));
  }
  parents.resize(weights.size(), static_cast<int>(weights.size()) - 1);
  return parents;
}

}  // namespace

IsingSamples PopulationSampler::sample(const IsingProblem& problem, int count, std::uint64_t seed) const {
  const IsingGraph graph(problem);
  const auto n = problem.fields.size();
  IsingChains states(problem.spins(), std::max(count, settings_.population), seed);
  Philox random(seed, kResamplingStream);
  double log_partition = static_cast<double>(n) * std::numbers::ln2;
  for (double beta = 0; beta < problem.beta;) {
    const auto energies = states.energies(graph);
    const double step = next_step(energies, problem.beta - beta, settings_.weight);
    const auto weights = weigh(energies, step);
    log_partition += weights.log_mean;
    beta = step == problem.beta - beta ? problem.beta : beta + step;
    states.resample(draw_parents(weights.values, random.uniform()));
    states.sweep(graph, beta, settings_.sweeps);
  }
  // States that share ancestors stand side by side: taken at even distances.
  const auto all = states.states();
  std::vector<std::int8_t> values;
  for (std::size_t k = 0; k < static_cast<std::size_t>(count); ++k) {
    const auto from = all.begin() + static_cast<std::ptrdiff_t>(k * states.count() / count * n);
    values.insert(values.end(), from, from + static_cast<std::ptrdiff_t>(n));
  }
  return with_beta(problem, std::move(values), log_partition);
}

}  // namespace cryoscape::latent
