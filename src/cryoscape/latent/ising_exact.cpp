#include "cryoscape/latent/ising_exact.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "cryoscape/latent/ising_beta.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::latent {
namespace {

/// −β times the energies of all states, from one to the next by flipping one spin (Gray code).
std::vector<double> log_weights(const IsingProblem& problem) {
  const auto n = problem.fields.size();
  std::vector<double> couplings(n * n), weights(std::size_t{1} << n);
  for (const auto& c : problem.couplings) {
    const auto i = static_cast<std::size_t>(c.i), j = static_cast<std::size_t>(c.j);
    couplings[i * n + j] = couplings[j * n + i] = problem.beta * c.value;
  }
  std::vector<std::int8_t> spins(n, -1);
  double weight = -problem.beta * ising_energy(problem, spins);
  weights[0] = weight;
  for (std::size_t k = 1, state = 0; k < weights.size(); ++k) {
    const auto flipped = static_cast<std::size_t>(std::countr_zero(k));
    double field = problem.beta * problem.fields[flipped];
    for (std::size_t j = 0; j < n; ++j) field += couplings[flipped * n + j] * spins[j];
    spins[flipped] = static_cast<std::int8_t>(-spins[flipped]);
    weight += 2 * spins[flipped] * field;
    weights[state ^= std::size_t{1} << flipped] = weight;
  }
  return weights;
}

}  // namespace

IsingDistribution enumerate(const IsingProblem& problem) {
  if (problem.spins() > kMostExactSpins)
    fail("{} spins are too many to enumerate: at most {} (use another sampler, e.g. gibbs)", problem.spins(),
         kMostExactSpins);
  IsingDistribution out{log_weights(problem), 0};
  const double largest = *std::max_element(out.probabilities.begin(), out.probabilities.end());
  double sum = 0;
  for (auto& p : out.probabilities) sum += p = std::exp(p - largest);
  for (auto& p : out.probabilities) p /= sum;
  out.log_partition = largest + std::log(sum);
  return out;
}

IsingSamples ExactSampler::sample(const IsingProblem& problem, int count, std::uint64_t seed) const {
  auto [cumulative, log_partition] = enumerate(problem);
  double sum = 0;
  for (auto& p : cumulative) p = sum += p;
  std::vector<std::int8_t> values;
  for (int k = 0; k < count; ++k) {
    const double u = sum * Philox(seed, static_cast<std::uint64_t>(k)).uniform();
    const auto state = std::lower_bound(cumulative.begin(), cumulative.end() - 1, u) - cumulative.begin();
    for (int i = 0; i < problem.spins(); ++i) values.push_back(state >> i & 1 ? 1 : -1);
  }
  return with_beta(problem, std::move(values), log_partition);
}

}  // namespace cryoscape::latent
