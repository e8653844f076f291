#include "cryoscape/inference/starts.hpp"

#include <gtest/gtest.h>

namespace cryoscape::inference {
namespace {

TEST(StartPool, AnchorsAreSamplesOfEveryCluster) {
  torch::manual_seed(1);
  const auto centres = torch::tensor({{-9.0f, 0.0f}, {9.0f, 0.0f}, {0.0f, 9.0f}});
  const auto samples = (centres.repeat_interleave(50, 0) + 0.2 * torch::randn({150, 2}));
  const StartPool pool(samples, samples, 3);
  EXPECT_EQ(pool.anchors().size(0), StartPool::kAnchors);
  EXPECT_LT(std::get<0>(torch::cdist(centres, pool.anchors()).min(1)).max().item<double>(), 1);
  EXPECT_EQ(std::get<0>(torch::cdist(pool.anchors(), samples).min(1)).max().item<double>(), 0);
}

TEST(StartPool, NeighboursAreTheNearestOtherMeans) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto means = torch::tensor({{0.0f}, {1.0f}, {3.0f}, {nan}, {7.0f}});
  const StartPool pool(means, torch::randn({20, 1}), 1);
  EXPECT_TRUE(torch::equal(pool.neighbours(torch::tensor({{0.0f}, {7.0f}})).squeeze(2),
                           torch::tensor({{1.0f, 3.0f}, {3.0f, 1.0f}})));
}

TEST(ChooseStarts, TakesTheBestThatDifferAndArePromising) {
  // One bead; candidates 0 and 1 are the same structure, 3 is hopeless, 4 has no value.
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto structures = torch::tensor({0.0f, 0.0f, 0.0f, 0.1f, 0.0f, 0.0f, 5.0f, 0.0f, 0.0f, 9.0f, 0.0f,
                                         0.0f, 7.0f, 0.0f, 0.0f})
                              .view({1, 5, 3})
                              .repeat({2, 1, 1});
  const auto values = torch::tensor({{1.0f, 2.0f, 0.0f, -90.0f, nan}, {0.0f, -90.0f, 1.0f, -1.0f, nan}});
  const auto two = choose_starts(values, structures, 2);
  EXPECT_TRUE(torch::equal(two.particle, torch::tensor({0, 0, 1, 1}, torch::kInt64)));
  EXPECT_TRUE(torch::equal(two.candidate, torch::tensor({1, 2, 2, 0}, torch::kInt64)));
  const auto more = choose_starts(values, structures, 9);
  EXPECT_TRUE(torch::equal(more.candidate, torch::tensor({1, 2, 2, 0, 3}, torch::kInt64)));
}

}  // namespace
}  // namespace cryoscape::inference
