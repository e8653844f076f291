#pragma once
#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/latent/ising_exact.hpp"
#include "cryoscape/util/random.hpp"

/// For tests: problems, states and distances between distributions.
namespace cryoscape::latent {

/// Fully coupled spins with Gaussian couplings of variance strength²/n, and Gaussian fields.
inline IsingProblem glass(int spins, std::uint64_t seed, double strength = 1.5, double field = 0.3) {
  Philox random(seed);
  IsingProblem problem;
  for (int i = 0; i < spins; ++i) problem.fields.push_back(field * random.normal());
  for (int i = 0; i < spins; ++i)
    for (int j = i + 1; j < spins; ++j)
      problem.couplings.push_back({i, j, strength * random.normal() / std::sqrt(spins)});
  return problem;
}

/// The state of an index; bit i is spin i.
inline std::vector<std::int8_t> state_of(std::size_t index, int spins) {
  std::vector<std::int8_t> state;
  for (int i = 0; i < spins; ++i) state.push_back(index >> i & 1 ? 1 : -1);
  return state;
}

inline std::vector<double> frequencies(const IsingSamples& samples) {
  std::vector<double> out(std::size_t{1} << samples.spins);
  for (int k = 0; k < samples.count(); ++k) {
    std::size_t index = 0;
    for (int i = 0; i < samples.spins; ++i) index |= static_cast<std::size_t>(samples.sample(k)[i] > 0) << i;
    out[index] += 1.0 / samples.count();
  }
  return out;
}

inline double total_variation(const std::vector<double>& p, const std::vector<double>& q) {
  double sum = 0;
  for (std::size_t k = 0; k < p.size(); ++k) sum += 0.5 * std::abs(p[k] - q[k]);
  return sum;
}

/// Total variation that `count` independent samples of p keep below, but for one run in 10,000: the expected
/// distance of frequencies from p, and McDiarmid's inequality, as one sample moves it by at most 1/count.
inline double noise_floor(const std::vector<double>& p, int count) {
  double expected = 0;
  for (const double q : p) expected += 0.5 * std::sqrt(2 * q * (1 - q) / std::numbers::pi / count);
  return expected + std::sqrt(std::log(1e4) / (2 * count));
}

}  // namespace cryoscape::latent
