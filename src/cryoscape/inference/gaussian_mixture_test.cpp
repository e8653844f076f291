#include "cryoscape/inference/gaussian_mixture.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cryoscape/inference/test_expansions.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::inference {

TEST(GaussianMixtureDensity, OfOneGaussianIsItsFormula) {
  const auto p = prepared({standard_normal(3)});
  const Eigen::Vector3d z(0.5, -1, 2);
  EXPECT_NEAR(log_density(p, z), -0.5 * z.squaredNorm() - 1.5 * std::log(2 * std::numbers::pi), 1e-12);
}

TEST(GaussianMixtureDensity, DrawsHaveItsMoments) {
  const auto wells = three_wells(2);
  const auto whole = moments_of(wells);
  const auto ready = prepared(wells);
  Philox random(1);
  constexpr int kDraws = 40000;
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(2);
  Eigen::MatrixXd second = Eigen::MatrixXd::Zero(2, 2);
  for (int i = 0; i < kDraws; ++i) {
    const auto z = draw(ready, random);
    mean += z / kDraws, second += z * z.transpose() / kDraws;
  }
  // Standard errors are 1/200 of a unit variance; five of them.
  EXPECT_LT((mean - whole.mean).cwiseAbs().maxCoeff(), 0.025);
  EXPECT_LT((second - mean * mean.transpose() - whole.covariance).cwiseAbs().maxCoeff(), 0.03);
}

TEST(Mapped, IsTheMarginalDensity) {
  // Integrated over the third latent, on a grid that ends eight of its standard deviations away.
  auto wells = three_wells(3);
  for (auto& c : wells) c.covariance(0, 2) = c.covariance(2, 0) = 0.1;
  Eigen::MatrixXd map = Eigen::MatrixXd::Zero(2, 3);
  map(0, 0) = 2, map(1, 1) = 1;
  const auto marginal = prepared(mapped(wells, map)), whole = prepared(wells);
  for (const auto& [x, y] : {std::pair(-0.9, 0.2), std::pair(0.3, 1.1)}) {
    double sum = 0;
    for (int i = -800; i <= 800; ++i)
      sum += 0.01 * std::exp(log_density(whole, Eigen::Vector3d(x, y, 0.01 * i)));
    EXPECT_NEAR(log_density(marginal, Eigen::Vector2d(2 * x, y)), std::log(sum / 2), 1e-9);
  }
}

TEST(Broadened, KeepsTheMeanAndBoundsRatios) {
  const auto wells = three_wells(2);
  const auto broad = broadened(wells, 0.2, 3);
  EXPECT_LT((moments_of(broad).mean - moments_of(wells).mean).norm(), 1e-12);
  EXPECT_NEAR(moments_of(broad).weight, 1, 1e-12);
  const auto p = prepared(wells), q = prepared(broad);
  const auto wide = prepared({standard_normal(2)});
  Philox random(2);
  for (int i = 0; i < 1000; ++i) {
    const auto z = draw(wide, random);
    EXPECT_LT(log_density(p, z) - log_density(q, z), -std::log(0.8) + 1e-9);
  }
}

TEST(Prepared, RefusesCovariancesThatAreNone) {
  auto c = standard_normal(2);
  c.covariance(0, 0) = -1;
  EXPECT_NE(error_of([&] { prepared({c}); }).find("not positive definite"), std::string::npos);
}

}  // namespace cryoscape::inference
