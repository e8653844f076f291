#include "cryoscape/inference/basins.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace cryoscape::inference {
namespace {

const std::size_t kLine[] = {9};

TEST(Basins, ShallowOnesBelongToTheirDeeperNeighbour) {
  const std::vector<double> energy{1, 0, 0.5, 0.2, 3, 2, 4, 1.5, 5};
  const auto all = find_basins(energy, kLine, 0.1), deep = find_basins(energy, kLine, 0.9);
  EXPECT_EQ(all.minimum, (std::vector<std::size_t>{1, 3, 5, 7}));
  EXPECT_EQ(deep.minimum, (std::vector<std::size_t>{1, 5, 7}));
  EXPECT_EQ(find_basins(energy, kLine, 1.2).minimum, (std::vector<std::size_t>{1, 7}));
  ASSERT_EQ(deep.saddles.size(), 2u);
  EXPECT_EQ(deep.saddles[0].from, 0u);
  EXPECT_EQ(deep.saddles[0].to, 1u);
  EXPECT_EQ(deep.saddles[0].node, 4u);
  EXPECT_EQ(deep.saddles[1].from, 2u);  // the deeper one
  EXPECT_EQ(deep.saddles[1].to, 1u);
  EXPECT_EQ(deep.saddles[1].node, 6u);
  EXPECT_EQ(deep.label[8], 2u);
}

TEST(Basins, SeedsHaveBasinsHoweverShallow) {
  const std::vector<double> energy{1, 0, 0.5, 0.2, 3, 2, 4, 1.5, 5};
  const std::size_t seeds[] = {3, 7};
  const auto basins = flood_from(energy, kLine, seeds);
  EXPECT_EQ(basins.minimum, (std::vector<std::size_t>{3, 7}));
  EXPECT_EQ(basins.label[0], 0u);
  ASSERT_EQ(basins.saddles.size(), 1u);
  EXPECT_EQ(basins.saddles[0].node, 6u);
}

TEST(Basins, TwoVariables) {
  const std::size_t nodes[] = {21, 31};
  std::vector<double> energy;
  for (int i = 0; i < 21; ++i)
    for (int j = 0; j < 31; ++j) {
      const double x = (i - 10) / 10.0, y = (j - 15) / 15.0;
      energy.push_back(4 * (y * y - 0.36) * (y * y - 0.36) / 0.1296 + 3 * x * x + 0.5 * y);
    }
  const auto basins = find_basins(energy, nodes, 1);
  ASSERT_EQ(basins.size(), 2u);
  ASSERT_EQ(basins.saddles.size(), 1u);
  EXPECT_EQ(basins.saddles[0].node / 31, 10u);                           // x = 0
  EXPECT_NEAR(static_cast<double>(basins.saddles[0].node % 31), 15, 1);  // y ≈ 0
  EXPECT_EQ(find_basins(energy, nodes, 6).size(), 1u);
}

}  // namespace
}  // namespace cryoscape::inference
