#include "cryoscape/inference/mixture_posterior.hpp"

#include <gtest/gtest.h>

#include <Eigen/LU>

#include "cryoscape/inference/test_expansions.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::inference {
namespace {

GaussianComponent component(double weight, double mean, double deviation) {
  return {weight, Eigen::VectorXd::Constant(1, mean), Eigen::MatrixXd::Constant(1, 1, deviation * deviation)};
}

const GaussianMixture kTwo{component(0.7, -1, 0.5), component(0.3, 2, 0.3)};

/// One particle with two modes in one dimension.
Expansions two_modes() { return {1, {4, 4}, {-0.8f, 1.7f}, {0.5f, -1.0f}, {4, 9}, {1.2f, 0.4f}, {1, 1}}; }

double likelihood(const Expansions& e, double z) {
  double sum = 0;
  for (std::size_t m = 0; m < e.size(); ++m) {
    const double x = z - e.point[m];
    sum += std::exp(e.log_ratio[m] + e.score[m] * x - 0.5 * e.information[m] * x * x);
  }
  return sum;
}

double prior_density(double z) {
  return std::exp(log_density(prepared(kTwo), Eigen::VectorXd::Constant(1, z)));
}

}  // namespace

TEST(MixturePosterior, MarginalAndMomentsAreThoseOfTheIntegral) {
  const auto e = two_modes();
  double mass = 0, first = 0, second = 0;
  constexpr double kStep = 1e-3;
  for (double z = -8; z < 8; z += kStep) {
    const double p = kStep * likelihood(e, z) * prior_density(z);
    mass += p, first += p * z, second += p * z * z;
  }
  EXPECT_NEAR(log_marginals(kTwo, e).at(0), std::log(mass), 1e-6);
  double mean = 0, square = 0;
  for (const auto& part : posterior_of(prepared(kTwo), e, {4, 0, 2})) {
    const double share = std::exp(part.log_mass) / mass, l = part.precision_root(0, 0);
    mean += share * part.mean[0], square += share * (part.mean[0] * part.mean[0] + 1 / (l * l));
  }
  EXPECT_NEAR(mean, first / mass, 1e-6);
  EXPECT_NEAR(square, second / mass, 1e-6);
}

TEST(MixturePosterior, WithoutInformationIsThePrior) {
  Expansions e;
  Philox random(1);
  add_expansion(e, 0, Eigen::VectorXd::Zero(3), Eigen::MatrixXd::Zero(3, 3), random, 1.5);
  const auto wells = three_wells(3);
  EXPECT_NEAR(log_marginals(wells, e).at(0), 1.5, 1e-6);
  const auto parts = posterior_of(prepared(wells), e, {0, 0, 1});
  for (std::size_t k = 0; k < parts.size(); ++k) {
    EXPECT_NEAR(std::exp(parts[k].log_mass - 1.5), wells[k].weight, 1e-6);
    EXPECT_LT((parts[k].mean - wells[k].mean).norm(), 1e-12);
    const Eigen::MatrixXd precision = parts[k].precision_root * parts[k].precision_root.transpose();
    EXPECT_LT((precision - wells[k].covariance.inverse()).norm(), 1e-9);
  }
}

TEST(MixturePosterior, IdleLatentsChangeNothing) {
  // The same measurements of the first two latents, beside six that nothing is known of.
  const auto narrow = measured_particles(three_wells(2), 1, 2, 0.4, 3);
  Expansions wide;
  wide.dim = 8, wide.particle = {0}, wide.log_ratio = narrow.log_ratio, wide.mass = {1};
  wide.point.assign(8, 5), wide.score.assign(8, 0), wide.information.assign(64, 0);
  for (std::size_t j = 0; j < 2; ++j) {
    wide.point[j] = narrow.point[j], wide.score[j] = narrow.score[j];
    for (std::size_t k = 0; k < 2; ++k) wide.information[8 * j + k] = narrow.information[2 * j + k];
  }
  EXPECT_NEAR(log_marginals(three_wells(8), wide).at(0), log_marginals(three_wells(2), narrow).at(0), 1e-9);
}

TEST(MixturePosterior, SaysWhichParticleIsWrong) {
  auto e = two_modes();
  e.information[1] = -100;
  EXPECT_NE(error_of([&] { log_marginals(kTwo, e); }).find("information of particle 5"), std::string::npos);
  e.score[0] = NAN;
  EXPECT_NE(error_of([&] { check(e); }).find("particle 5 is not finite"), std::string::npos);
}

TEST(EntryRanges, AreOnePerParticle) {
  const std::vector<std::uint32_t> particle{2, 2, 3, 9, 9, 9};
  const auto ranges = entry_ranges(particle);
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_EQ(ranges[1].particle, 3u);
  EXPECT_EQ(ranges[2].first, 3u);
  EXPECT_EQ(ranges[2].last, 6u);
}

}  // namespace cryoscape::inference
