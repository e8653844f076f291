#include "cryoscape/inference/estimate.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace cryoscape::inference {

TEST(Estimate, HasTheStandardDeviationOfItsResamples) {
  const auto e = estimate(2, {1, 2, 3, 6});  // mean 3, squares 4 + 1 + 0 + 9
  EXPECT_EQ(e.value, 2);
  EXPECT_NEAR(e.error, std::sqrt(14.0 / 3), 1e-12);
  EXPECT_NEAR(e.high - 2, 1.96 * e.error, 1e-12);
  EXPECT_NEAR(2 - e.low, 1.96 * e.error, 1e-12);
}

TEST(Estimate, OfAnEnergyHoldsSkewResamples) {
  std::vector<double> askew(101);
  for (int i = 0; i <= 100; ++i) askew[static_cast<std::size_t>(100 - i)] = 10 + i;
  const auto e = estimate_energy(10, askew);
  EXPECT_NEAR(e.high, 107.5, 1e-9);  // the quantile, farther than 1.96 × 29.3
  EXPECT_NEAR(e.low, 10 - 1.96 * e.error, 1e-12);
}

TEST(Estimate, OfOneResampleHasNoError) {
  const auto e = estimate_energy(3, {5});
  EXPECT_EQ(e.error, 0);
  EXPECT_EQ(e.low, 3);
  EXPECT_EQ(e.high, 3);
}

}  // namespace cryoscape::inference
