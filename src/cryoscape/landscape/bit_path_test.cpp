#include "cryoscape/landscape/bit_path.hpp"

#include <gtest/gtest.h>

#include "cryoscape/landscape/test_bits.hpp"

namespace cryoscape::landscape {
namespace {

void expect_a_path(const BitEnergy& energy, const BitPath& path, const Bits& a, const Bits& b) {
  ASSERT_FALSE(path.states.empty());
  EXPECT_EQ(path.states.front(), a);
  EXPECT_EQ(path.states.back(), b);
  for (std::size_t i = 1; i < path.states.size(); ++i)
    EXPECT_EQ(hamming(path.states[i - 1], path.states[i]), 1u);
  const auto e = energies_of(energy, path.states);
  EXPECT_EQ(path.energies, std::vector<double>(e.begin(), e.end()));
}

TEST(BitPath, HasTheLowestPossibleHeight) {
  int detours = 0;
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    const auto energy = test_machine(seed);
    const auto energies = all_energies(energy);
    const auto minima = stable_states(energies);
    ASSERT_GE(minima.size(), 2u);
    for (std::size_t i = 0; i < minima.size(); ++i)
      for (std::size_t j = i + 1; j < minima.size(); ++j) {
        const auto a = state_of(minima[i]), b = state_of(minima[j]);
        const auto path = bit_path(energy, a, b, kTestStates);
        expect_a_path(energy, path, a, b);
        EXPECT_TRUE(path.exact);
        EXPECT_NEAR(path.highest(), minimax(energies, minima[i], minima[j]), 1e-9);
        detours += path.states.size() > hamming(a, b) + 1;
        // Without a flood the height is an upper bound.
        const auto bound = bit_path(energy, a, b, 0);
        expect_a_path(energy, bound, a, b);
        EXPECT_GE(bound.highest(), path.highest() - 1e-9);
        EXPECT_EQ(bound.states.size(), hamming(a, b) + 1);
        if (bound.exact) {
          EXPECT_NEAR(bound.highest(), path.highest(), 1e-9);
        }
      }
  }
  EXPECT_GT(detours, 0);  // else the flood was not put to the test
}

TEST(BitPath, FromAStateToItselfIsThatState) {
  const auto energy = test_machine(1);
  const auto path = bit_path(energy, state_of(5), state_of(5));
  expect_a_path(energy, path, state_of(5), state_of(5));
  EXPECT_EQ(path.states.size(), 1u);
}

}  // namespace
}  // namespace cryoscape::landscape
