#include "cryoscape/inference/mixture_extrapolation.hpp"

#include <gtest/gtest.h>

#include "cryoscape/inference/test_expansions.hpp"

namespace cryoscape::inference {
namespace {

/// One component whose mean has gone `share` of its way to (1, −2), and whose variances that to 4.
GaussianMixture on_its_way(double share) {
  return {{1, share * Eigen::Vector2d(1, -2), std::pow(4, share) * Eigen::Matrix2d::Identity()}};
}

}  // namespace

TEST(Extrapolated, StepsOfOneRateEndAtTheirLimit) {
  // Errors that fall to 0.9 of themselves in every step, in all parameters.
  const auto end = extrapolated(on_its_way(0), on_its_way(0.1), on_its_way(0.19)).at(0);
  EXPECT_NEAR((end.mean - Eigen::Vector2d(1, -2)).norm(), 0, 1e-9);
  EXPECT_NEAR((end.covariance - 4 * Eigen::Matrix2d::Identity()).norm(), 0, 1e-9);
}

TEST(Extrapolated, WithoutBendIsTheSecondStep) {
  const auto wells = three_wells(2);
  const auto same = extrapolated(wells, wells, wells);
  for (std::size_t k = 0; k < wells.size(); ++k) EXPECT_EQ(same[k].mean, wells[k].mean);
}

TEST(Extrapolated, StaysAMixture) {
  auto first = three_wells(2), second = first;
  first[0].weight = 0.55, first[1].weight = 0.40, second[0].weight = 0.46, second[1].weight = 0.49;
  first[0].covariance *= 0.5, second[0].covariance *= 0.26;
  double whole = 0;
  const auto far = extrapolated(three_wells(2), first, second);
  for (const auto& c : far) whole += c.weight;
  EXPECT_NEAR(whole, 1, 1e-12);
  EXPECT_EQ(prepared(far).size(), 3u);  // positive definite
}

}  // namespace cryoscape::inference
