#include "cryoscape/landscape/bit_minima.hpp"

#include <gtest/gtest.h>

#include <set>

#include "cryoscape/landscape/test_bits.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::landscape {
namespace {

std::vector<Bits> all_states() {
  std::vector<Bits> out;
  for (std::size_t s = 0; s < kTestStates; ++s) out.push_back(state_of(s));
  return out;
}

TEST(DescendBits, EndsInTheStableStatesAndNowhereHigher) {
  const auto energy = test_machine(2);
  const auto energies = all_energies(energy);
  std::set<Bits> stable;
  for (const auto s : stable_states(energies)) stable.insert(state_of(s));
  const auto ends = descend_bits(energy, all_states());
  EXPECT_EQ(std::set<Bits>(ends.begin(), ends.end()), stable);
  const auto reached = energies_of(energy, ends);
  for (std::size_t s = 0; s < ends.size(); ++s) EXPECT_LE(reached[static_cast<Eigen::Index>(s)], energies[s]);
}

TEST(ExploreBits, TreeIsThatOfAllStates) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto energy = test_machine(seed);
    const auto energies = all_energies(energy);
    const auto stable = stable_states(energies);
    const auto found = explore_bits(energy, all_states(), 0, kTestStates);
    ASSERT_EQ(found.minima.size(), stable.size());
    EXPECT_EQ(found.stable, stable.size());
    ASSERT_EQ(found.pathways.size(), stable.size() - 1);
    // The forks of the tree are the lowest passes that join all minima, by all states.
    std::vector<Crossing> passes;
    for (std::size_t i = 0; i < stable.size(); ++i)
      for (std::size_t j = i + 1; j < stable.size(); ++j)
        passes.push_back({i, j, minimax(energies, stable[i], stable[j])});
    const auto exact = disconnectivity_tree(stable.size(), passes);
    const double lowest = *std::min_element(energies.begin(), energies.end());
    for (std::size_t f = 0; f < exact.size(); ++f)
      EXPECT_NEAR(found.tree[f].energy, exact[f].energy - lowest, 1e-9);
    EXPECT_EQ(found.minima.front().energy, 0);
  }
}

TEST(ExploreBits, PopulationsAreSharesOfTheSamples) {
  const auto energy = test_machine(3);
  const auto states = all_states();
  const auto ends = descend_bits(energy, states);
  const auto found = explore_bits(energy, states, 0, kTestStates);
  for (const auto& m : found.minima)
    EXPECT_NEAR(
        m.population,
        static_cast<double>(std::count(ends.begin(), ends.end(), m.bits)) / static_cast<double>(kTestStates),
        1e-9);
  for (std::size_t s = 0; s < states.size(); ++s)
    EXPECT_EQ(found.minima[static_cast<std::size_t>(found.basin[s])].bits, ends[s]);
}

TEST(ExploreBits, ShallowAndRareMinimaAreJoined) {
  const auto energy = test_machine(2);
  const auto all = explore_bits(energy, all_states(), 0, kTestStates);
  const auto deep = explore_bits(energy, all_states(), 3, kTestStates);
  EXPECT_LT(deep.minima.size(), all.minima.size());
  const auto two = explore_bits(energy, all_states(), 0, 2);
  ASSERT_EQ(two.minima.size(), 2u);
  for (const auto& found : {deep, two}) {
    double sum = 0;
    for (const auto& m : found.minima) sum += m.population;
    EXPECT_NEAR(sum, 1, 1e-9);
    EXPECT_EQ(found.stable, all.stable);
  }
}

TEST(ExploreBits, NeedsSamples) {
  EXPECT_NE(error_of([] { explore_bits(test_machine(1), {}, 1); }).find("samples"), std::string::npos);
}

}  // namespace
}  // namespace cryoscape::landscape
