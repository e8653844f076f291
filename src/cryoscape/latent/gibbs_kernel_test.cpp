#include "cryoscape/latent/gibbs_kernel.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::latent;

namespace {

constexpr std::uint64_t kSeed = 0x123456789abcULL;

std::vector<float> normals(std::size_t n, double scale, std::uint64_t seed) {
  Philox random(seed);
  std::vector<float> out(n);
  for (auto& x : out) x = static_cast<float>(scale * random.normal());
  return out;
}

std::vector<float> random_bits(std::size_t n, std::uint64_t seed) {
  Philox random(seed);
  std::vector<float> out(n);
  for (auto& x : out) x = random.uniform() < 0.5 ? 1.0f : 0.0f;
  return out;
}

std::vector<float> symmetric(std::size_t n, double scale, std::uint64_t seed) {
  auto j = normals(n * n, scale, seed);
  for (std::size_t i = 0; i < n; ++i) {
    j[i * n + i] = 0;
    for (std::size_t k = 0; k < i; ++k) j[i * n + k] = j[k * n + i];
  }
  return j;
}

std::size_t first_block(const BipartiteMachine& m, std::size_t unit) {
  return unit < m.left ? 0 : (m.left + 3) / 4;
}

/// Log odds of a unit given the others.
double field(const BipartiteMachine& m, const float* z, std::size_t unit) {
  double f = m.biases[unit];
  if (unit < m.left) {
    for (std::size_t j = 0; j < m.right; ++j)
      f += static_cast<double>(m.couplings[unit * m.right + j]) * z[m.left + j];
  } else {
    for (std::size_t i = 0; i < m.left; ++i)
      f += static_cast<double>(m.couplings[i * m.right + unit - m.left]) * z[i];
  }
  return f;
}

std::size_t first_block(const DenseMachine&, std::size_t) { return 0; }

double field(const DenseMachine& m, const float* z, std::size_t unit) {
  double f = m.biases[unit];
  for (std::size_t j = 0; j < m.units; ++j) f += static_cast<double>(m.couplings[unit * m.units + j]) * z[j];
  return f;
}

/// One sweep as it is defined, and how near the closest call was: a bit may differ where the noise is within
/// rounding of its probability.
template <class Machine>
double reference_sweep(const Machine& m, std::size_t left, std::vector<float>& chains, std::size_t units) {
  double closest = 1;
  for (std::size_t k = 0; k < chains.size() / units; ++k)
    for (std::size_t i = 0; i < units; ++i) {
      float* z = chains.data() + k * units;
      const double p = 1 / (1 + std::exp(-field(m, z, i)));
      const double u = gibbs_noise(kSeed, k, 0, first_block(m, i), i < left ? i : i - left);
      closest = std::min(closest, std::abs(p - u));
      z[i] = u < p ? 1.0f : 0.0f;
    }
  return closest;
}

/// Total variation between the states of chains and e^{−E}/Z over 2^units states.
template <class Energy>
double total_variation(const std::vector<float>& chains, std::size_t units, Energy&& energy, double& floor) {
  const std::size_t states = std::size_t{1} << units, n = chains.size() / units;
  std::vector<double> p(states), seen(states);
  for (std::size_t s = 0; s < states; ++s) {
    std::vector<float> z(units);
    for (std::size_t i = 0; i < units; ++i) z[i] = (s >> i & 1) ? 1.0f : 0.0f;
    p[s] = std::exp(-energy(z.data()));
  }
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t s = 0;
    for (std::size_t i = 0; i < units; ++i) s |= chains[k * units + i] > 0.5f ? std::size_t{1} << i : 0;
    seen[s] += 1.0 / static_cast<double>(n);
  }
  double distance = 0;
  floor = 0;
  for (std::size_t s = 0; s < states; ++s) {
    p[s] /= sum;
    distance += 0.5 * std::abs(seen[s] - p[s]);
    // Mean of |binomial − its mean|, in the normal approximation.
    floor += 0.5 * std::sqrt(2 * p[s] * (1 - p[s]) / (3.14159265 * static_cast<double>(n)));
  }
  return distance;
}

}  // namespace

TEST(BlockGibbs, IsTheReference) {
  for (const auto& [left, right] : {std::pair<std::size_t, std::size_t>{7, 6}, {16, 16}, {3, 13}}) {
    const auto biases = normals(left + right, 0.5, 1), couplings = normals(left * right, 0.7, 2);
    const BipartiteMachine machine{left, right, biases.data(), couplings.data()};
    auto fast = random_bits(101 * (left + right), 3), plain = fast;
    block_gibbs(machine, fast, 1, kSeed);
    ASSERT_GT(reference_sweep(machine, left, plain, left + right), 1e-6);
    EXPECT_EQ(fast, plain);
  }
}

TEST(SequentialGibbs, IsTheReference) {
  const std::size_t n = 11;
  const auto biases = normals(n, 0.5, 1), couplings = symmetric(n, 0.5, 2);
  const DenseMachine machine{n, biases.data(), couplings.data()};
  auto fast = random_bits(101 * n, 3), plain = fast;
  sequential_gibbs(machine, fast, 1, kSeed);
  ASSERT_GT(reference_sweep(machine, n, plain, n), 1e-6);
  EXPECT_EQ(fast, plain);
}

TEST(BlockGibbs, DoesNotDependOnThreadsOrOtherChains) {
  const auto biases = normals(20, 0.5, 1), couplings = normals(100, 0.5, 2);
  const BipartiteMachine machine{10, 10, biases.data(), couplings.data()};
  const auto start = random_bits(20 * 333, 3);
  auto first = start, second = start;
  std::vector<float> few(start.begin(), start.begin() + 20 * 5);
  const int threads = thread_count();
  set_thread_count(1);
  block_gibbs(machine, first, 20, kSeed);
  set_thread_count(3);
  block_gibbs(machine, second, 20, kSeed);
  set_thread_count(threads);
  block_gibbs(machine, few, 20, kSeed);
  EXPECT_EQ(first, second);
  EXPECT_EQ(few, std::vector<float>(first.begin(), first.begin() + 20 * 5));
}

TEST(BlockGibbs, SamplesTheBoltzmannDistribution) {
  const auto biases = normals(10, 0.5, 4), couplings = normals(25, 0.8, 5);
  const BipartiteMachine machine{5, 5, biases.data(), couplings.data()};
  auto chains = random_bits(100000 * 10, 6);
  block_gibbs(machine, chains, 60, kSeed);
  double floor = 0;
  const double distance = total_variation(
      chains, 10,
      [&](const float* z) {
        double e = 0;
        for (std::size_t i = 0; i < 5; ++i) e -= z[i] * field(machine, z, i) + z[5 + i] * biases[5 + i];
        return e;
      },
      floor);
  EXPECT_LT(distance, 1.15 * floor);
}

TEST(SequentialGibbs, SamplesTheBoltzmannDistribution) {
  const auto biases = normals(10, 0.5, 4), couplings = symmetric(10, 0.6, 5);
  const DenseMachine machine{10, biases.data(), couplings.data()};
  auto chains = random_bits(100000 * 10, 6);
  sequential_gibbs(machine, chains, 60, kSeed);
  double floor = 0;
  const double distance = total_variation(
      chains, 10,
      [&](const float* z) {
        double e = 0;
        for (std::size_t i = 0; i < 10; ++i) e -= 0.5 * z[i] * (field(machine, z, i) + biases[i]);
        return e;
      },
      floor);
  EXPECT_LT(distance, 1.15 * floor);
}
