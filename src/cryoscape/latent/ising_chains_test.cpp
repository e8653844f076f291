#include "cryoscape/latent/ising_chains.hpp"

#include <gtest/gtest.h>

#include "cryoscape/latent/test_ising.hpp"
#include "cryoscape/util/parallel.hpp"

using namespace cryoscape;
using namespace cryoscape::latent;

namespace {

/// Restores the number of threads.
struct Threads {
  explicit Threads(int threads) : before(thread_count()) { set_thread_count(threads); }
  ~Threads() { set_thread_count(before); }
  int before;
};

}  // namespace

// A product u(1 + e^{−2βf}) may round to the other side of 1 than its twin about once in 10⁷ updates.
TEST(IsingKernel, SweepsLikeItsPlainTwin) {
  for (const int n : {1, 5, 16, 33}) {
    IsingGraph graph(glass(n, 1));
    std::reverse(graph.order.begin(), graph.order.end());
    std::vector<float> fast(static_cast<std::size_t>(n) * kIsingLanes, 1.0f), plain = fast;
    float beta[kIsingLanes];
    for (int l = 0; l < kIsingLanes; ++l) beta[l] = 0.2f * static_cast<float>(l);
    PhiloxPlace random{7, 3, 0};
    for (int t = 0; t < 20; ++t, random.counter += counters_per_sweep(graph)) {
      gibbs_sweep(graph, beta, random, fast.data());
      gibbs_sweep_reference(graph, beta, random, plain.data());
      ASSERT_EQ(fast, plain) << n << " spins, sweep " << t;
    }
  }
}

TEST(IsingKernel, FieldsAreThoseOfThePlainSum) {
  const auto problem = glass(23, 2);
  const IsingGraph graph(problem);
  constexpr std::size_t kWidth = 2 * kIsingLanes;
  Philox random(3);
  std::vector<float> x(23 * kWidth), fields(kWidth);
  for (auto& v : x) v = static_cast<float>(random.normal());
  for (int i = 0; i < 23; ++i) {
    ising_fields(graph, i, x.data(), kWidth, fields.data());
    for (std::size_t l = 0; l < kWidth; ++l) {
      double exact = problem.fields[i];
      for (const auto& c : problem.couplings) {
        if (c.i == i) exact += c.value * x[c.j * kWidth + l];
        if (c.j == i) exact += c.value * x[c.i * kWidth + l];
      }
      EXPECT_NEAR(fields[l], exact, 1e-5);
    }
  }
}

TEST(IsingKernel, StrongFieldsDecide) {
  const IsingGraph graph({{1e6, -1e6}, {}});
  std::vector<float> spins(2 * kIsingLanes, 1.0f), beta(kIsingLanes, 1e6f);
  gibbs_sweep(graph, beta.data(), {1, 2, 3}, spins.data());
  for (int l = 0; l < kIsingLanes; ++l) {
    EXPECT_EQ(spins[l], 1);
    EXPECT_EQ(spins[kIsingLanes + l], -1);
  }
}

TEST(IsingChains, AreTheSameForAnyNumberOfThreads) {
  const IsingGraph graph(glass(20, 4));
  const auto swept = [&](int threads) {
    const Threads guard(threads);
    IsingChains chains(20, 101, 5);
    chains.sweep(graph, 0.8, 7);
    return chains.states();
  };
  EXPECT_EQ(swept(1), swept(3));
}

TEST(IsingChains, GoOnFromACheckpoint) {
  const IsingGraph graph(glass(12, 6));
  IsingChains chains(12, 20, 7);
  chains.sweep(graph, 1, 5);
  IsingChains resumed(12, 20, 7);
  resumed.set(chains.states());
  resumed.set_sweeps_done(chains.sweeps_done());
  chains.sweep(graph, 1, 5);
  resumed.sweep(graph, 1, 5);
  EXPECT_EQ(chains.states(), resumed.states());
}

TEST(IsingChains, EnergiesAreThoseOfTheStates) {
  const auto problem = glass(15, 8);
  const IsingChains chains(15, 21, 9);
  const auto energies = chains.energies(IsingGraph(problem));
  const auto states = chains.states();
  ASSERT_EQ(energies.size(), 21u);
  for (std::size_t k = 0; k < 21; ++k)
    EXPECT_NEAR(energies[k], ising_energy(problem, std::span(states).subspan(k * 15, 15)), 1e-5);
}

TEST(IsingChains, ResampledOnesGoOnFromTheirParents) {
  IsingChains chains(6, 20, 10);
  const auto before = chains.states();
  std::vector<int> parents;
  for (int k = 0; k < 20; ++k) parents.push_back(k * 7 % 20);
  chains.resample(parents);
  const auto after = chains.states();
  for (int k = 0; k < 20; ++k)
    for (int i = 0; i < 6; ++i) EXPECT_EQ(after[k * 6 + i], before[parents[k] * 6 + i]);
}
