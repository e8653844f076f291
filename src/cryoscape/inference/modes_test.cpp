#include "cryoscape/inference/modes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace cryoscape::inference {
namespace {

TEST(PosteriorModes, AreWeighedByMassAndNotByHeight) {
  // Two normal densities of shares 1/4 and 3/4, standard deviations 0.1 and 1: the lighter one is higher.
  const auto peak = [](double share, double deviation) { return std::log(share / deviation); };
  const std::vector<double> values{peak(0.25, 0.1), peak(0.75, 1)}, points{0, 10}, precisions{100, 1};
  const auto modes = posterior_modes({1, values, points, precisions});
  ASSERT_EQ(modes.summit, (std::vector<std::size_t>{1, 0}));
  EXPECT_NEAR(modes.mass[0], 0.75, 1e-12);
  EXPECT_NEAR(modes.mean[0], 7.5, 1e-12);
  EXPECT_NEAR(modes.covariance[0], 0.25 * 0.01 + 0.75 * 1 + 0.25 * 0.75 * 100, 1e-10);
}

TEST(PosteriorModes, OneModeReachedTwiceCountsOnce) {
  const std::vector<double> values{1, 1.1, 0.9}, points{0, 0, 0.1, 0, 9, 0},
      precisions{1, 0, 0, 4, 1, 0, 0, 4, 1, 0, 0, 4};
  const auto modes = posterior_modes({2, values, points, precisions});
  ASSERT_EQ(modes.summit, (std::vector<std::size_t>{1, 2}));
  EXPECT_NEAR(modes.mass[1], 1 / (1 + std::exp(0.2)), 1e-12);
}

TEST(PosteriorModes, TheCovarianceOfOneModeIsItsPrecisionsInverse) {
  const std::vector<double> values{3}, points{1, 2}, precisions{2, 1, 1, 3};
  const auto modes = posterior_modes({2, values, points, precisions});
  EXPECT_EQ(modes.mean, points);
  const std::vector<double> expected{0.6, -0.2, -0.2, 0.4};
  for (int k = 0; k < 4; ++k) EXPECT_NEAR(modes.covariance[k], expected[k], 1e-12);
}

TEST(PosteriorModes, SummitsWithoutAValueAreLeftOut) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> values{nan, 1}, points{0, 5}, precisions{1, 1}, none{nan, nan};
  EXPECT_EQ(posterior_modes({1, values, points, precisions}).summit, (std::vector<std::size_t>{1}));
  EXPECT_THROW(posterior_modes({1, none, points, precisions}), std::logic_error);
}

}  // namespace
}  // namespace cryoscape::inference
