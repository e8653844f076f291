#include "cryoscape/landscape/mixture.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <numbers>

#include "cryoscape/landscape/modes.hpp"
#include "cryoscape/landscape/test_clouds.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::landscape {
namespace {

Component gaussian(double weight, Eigen::VectorXd mean, double deviation) {
  const auto d = mean.size();
  return {weight, std::move(mean), deviation * deviation * Eigen::MatrixXd::Identity(d, d)};
}

TEST(MixtureDensity, IsTheSumOfGaussians) {
  const Mixture mixture{gaussian(0.25, Eigen::Vector2d(0, 0), 1), gaussian(0.75, Eigen::Vector2d(1, 2), 0.5)};
  const MixtureDensity density(mixture);
  const Eigen::Vector2d x(0.5, 1);
  const double a = 0.25 / (2 * std::numbers::pi) * std::exp(-0.625);
  const double b = 0.75 / (2 * std::numbers::pi * 0.25) * std::exp(-1.25 / 0.5);
  EXPECT_NEAR(density.log_density(x), std::log(a + b), 1e-12);
  EXPECT_NEAR(density.responsibilities(x)[0], a / (a + b), 1e-12);
}

TEST(ExpectationMaximisation, OneGaussianIsMeanAndCovariance) {
  const auto points = gaussians({1}, {{1, 2}}, {0.7}, 500, 1);
  const auto fit = fit_mixture(points, 1, nullptr, 0);
  const Points centred = points.colwise() - points.rowwise().mean();
  EXPECT_LT((fit.mixture[0].mean - points.rowwise().mean()).norm(), 1e-10);
  EXPECT_LT((fit.mixture[0].covariance - centred * centred.transpose() / 500).norm(), 1e-6);
}

TEST(ExpectationMaximisation, CountsAreRepeatedPoints) {
  const auto points = gaussians({0.5, 0.5}, {{0, 0}, {3, 1}}, {0.7, 0.5}, 300, 2);
  Eigen::VectorXd counts(300);
  Points repeated(2, 0);
  for (Eigen::Index i = 0; i < 300; ++i) {
    counts[i] = static_cast<double>(i % 3);
    for (Eigen::Index c = 0; c < i % 3; ++c) {
      repeated.conservativeResize(2, repeated.cols() + 1);
      repeated.rightCols(1) = points.col(i);
    }
  }
  const Mixture start{gaussian(0.5, Eigen::Vector2d(0, 0), 1), gaussian(0.5, Eigen::Vector2d(2, 2), 1)};
  const auto prior = covariance_prior(points, 2);
  const auto a = expectation_maximisation(points, counts, start, prior, {});
  const auto b = expectation_maximisation(repeated, {}, start, prior, {});
  EXPECT_NEAR(a.log_likelihood, b.log_likelihood, 1e-9);
  EXPECT_LT((a.mixture[1].mean - b.mixture[1].mean).norm(), 1e-9);
}

TEST(FitMixture, SameForAnyNumberOfThreads) {
  const auto points = gaussians({0.5, 0.5}, {{0, 0}, {3, 1}}, {0.7, 0.5}, 5000, 3);
  const int threads = thread_count();
  set_thread_count(1);
  const auto one = fit_mixture(points, 2, nullptr, 0);
  set_thread_count(3);
  const auto three = fit_mixture(points, 2, nullptr, 0);
  set_thread_count(threads);
  EXPECT_EQ(one.log_likelihood, three.log_likelihood);
}

TEST(FitMixture, PriorKeepsGaussiansFromCollapsing) {
  Points points = gaussians({1}, {{0, 0}}, {1}, 100, 4);
  for (int i = 0; i < 3; ++i) points.col(i) << 5, 5;
  const auto fit = fit_mixture(points, 2, nullptr, 0);
  for (const auto& c : fit.mixture)
    EXPECT_GT(Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(c.covariance).eigenvalues()[0], 0.05);
}

TEST(Climb, EndsAtAModeOfTheDensity) {
  const Mixture mixture{gaussian(0.6, Eigen::Vector2d(0, 0), 1), gaussian(0.4, Eigen::Vector2d(4, 0), 0.8)};
  const MixtureDensity density(mixture);
  const auto top = climb(density, Eigen::Vector2d(3, 1.5));
  for (const Eigen::Vector2d& step : {Eigen::Vector2d(1e-3, 0), Eigen::Vector2d(0, 1e-3)}) {
    EXPECT_GE(density.log_density(top), density.log_density(top + step) - 1e-9);
    EXPECT_GE(density.log_density(top), density.log_density(top - step) - 1e-9);
  }
  EXPECT_LT((top - Eigen::Vector2d(4, 0)).norm(), 0.1);
}

TEST(GroupComponents, ConcentricAndTouchingGaussiansAreOne) {
  const Mixture nested{gaussian(0.5, Eigen::Vector2d(0, 0), 1), gaussian(0.5, Eigen::Vector2d(0.1, 0), 3)};
  EXPECT_EQ(group_components(nested, 0).groups.size(), 1u);
  const Mixture touching{gaussian(0.5, Eigen::Vector2d(0, 0), 1), gaussian(0.5, Eigen::Vector2d(1.9, 0), 1)};
  EXPECT_EQ(group_components(touching, 0).groups.size(), 1u);  // two equal Gaussians have one mode up to 2σ
}

TEST(GroupComponents, PassOverAThirdGroupCounts) {
  // A chain: the ends meet by way of the middle.
  const Mixture chain{gaussian(0.4, Eigen::Vector2d(0, 0), 1), gaussian(0.3, Eigen::Vector2d(4, 0), 1),
                      gaussian(0.3, Eigen::Vector2d(4, 4), 1)};
  const auto grouping = group_components(chain, 0.5);
  ASSERT_EQ(grouping.groups.size(), 3u);
  ASSERT_EQ(grouping.passes.size(), 3u);
  const MixtureDensity density(chain);
  EXPECT_NEAR(grouping.passes[0].log_density, density.log_density(Eigen::Vector2d(2.05, 0)), 0.05);
  EXPECT_NEAR(grouping.passes[1].log_density,
              std::min(grouping.passes[0].log_density, grouping.passes[2].log_density), 1e-9);
  EXPECT_EQ(group_components(chain, 1.6).groups.size(), 1u);
}

}  // namespace
}  // namespace cryoscape::landscape
