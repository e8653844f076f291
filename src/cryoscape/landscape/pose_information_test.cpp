#include "cryoscape/landscape/pose_information.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::landscape {
namespace {

/// Pairs of standard normal numbers with a correlation, as x (1, n) and y (1, n).
std::pair<Points, Points> correlated(double correlation, Eigen::Index n, std::uint64_t seed) {
  Philox random(seed, 30);
  std::pair<Points, Points> out{Points(1, n), Points(1, n)};
  for (Eigen::Index i = 0; i < n; ++i) {
    out.first(0, i) = random.normal();
    out.second(0, i) =
        correlation * out.first(0, i) + std::sqrt(1 - correlation * correlation) * random.normal();
  }
  return out;
}

TEST(MutualInformation, IsThatOfCorrelatedGaussians) {
  // −½ ln(1 − ρ²); the standard deviation of the estimate from 1,500 points is 0.02 to 0.03.
  for (const double rho : {0.3, 0.6, 0.9}) {
    const auto [x, y] = correlated(rho, 1500, 2);
    const auto found = mutual_information(x, y, 10, 1);
    EXPECT_NEAR(found.nats, -0.5 * std::log(1 - rho * rho), 0.09) << rho;
    EXPECT_NEAR(found.null, 0, 0.03);
    EXPECT_EQ(found.significant(), rho > 0.5) << rho;  // 0.05 nats are not worth a warning
  }
}

TEST(MutualInformation, IsNoneBetweenIndependentPoints) {
  Philox random(4);
  int significant = 0;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Points x(3, 400), y(4, 400);
    for (auto* points : {&x, &y})
      for (double& v : points->reshaped()) v = random.normal();
    const auto found = mutual_information(x, y, 12, seed);
    EXPECT_NEAR(found.nats, found.null, 0.15);
    significant += found.significant();
  }
  EXPECT_EQ(significant, 0);
}

TEST(MutualInformation, SeesDependenceWithoutCorrelation) {
  // A point on a circle and a number that its angle fixes but for noise: uncorrelated, as the angle enters
  // three times.
  Philox random(7);
  Points x(2, 800), y(1, 800);
  for (Eigen::Index i = 0; i < 800; ++i) {
    const double angle = 2 * std::numbers::pi * random.uniform();
    x.col(i) << std::cos(angle), std::sin(angle);
    y(0, i) = std::sin(3 * angle) + 0.1 * random.normal();
  }
  const auto found = mutual_information(x, y, 10, 3);
  EXPECT_GT(found.nats, 0.5);
  EXPECT_GT(found.excess(), 10);
}

TEST(MutualInformation, TakesEqualPoints) {
  Points x(1, 100), y(1, 100);
  for (Eigen::Index i = 0; i < 100; ++i) x(0, i) = static_cast<double>(i % 2), y(0, i) = 0;
  const auto found = mutual_information(x, y, 4, 3);
  EXPECT_TRUE(std::isfinite(found.nats));
  EXPECT_FALSE(found.significant());
}

TEST(MutualInformation, DoesNotDependOnThreads) {
  const auto [x, y] = correlated(0.5, 300, 5);
  const auto threads = thread_count();
  set_thread_count(1);
  const auto one = mutual_information(x, y, 5, 3);
  set_thread_count(3);
  const auto three = mutual_information(x, y, 5, 3);
  set_thread_count(threads);
  EXPECT_EQ(one.nats, three.nats);
  EXPECT_EQ(one.null_error, three.null_error);
}

/// Particles in uniform views.
particles::ParticleSet posed(std::size_t count) {
  particles::ParticleSet set;
  Philox random(9);
  for (std::size_t i = 0; i < count; ++i) {
    particles::Particle p;
    const double tilt = std::acos(2 * random.uniform() - 1), rot = 2 * std::numbers::pi * random.uniform();
    const double c = std::cos(tilt), s = std::sin(tilt);
    // psi = 0: rows of A(rot, tilt, 0).
    p.rotation = {
        static_cast<float>(c * std::cos(rot)), static_cast<float>(c * std::sin(rot)), static_cast<float>(-s),
        static_cast<float>(-std::sin(rot)),    static_cast<float>(std::cos(rot)),     0,
        static_cast<float>(s * std::cos(rot)), static_cast<float>(s * std::sin(rot)), static_cast<float>(c)};
    p.shift = {static_cast<float>(random.normal()), static_cast<float>(random.normal())};
    set.particles.push_back(p);
  }
  return set;
}

TEST(PoseInformation, FindsConformationsThatFollowTheView) {
  const auto set = posed(600);
  Philox random(11);
  std::vector<std::size_t> all(600);
  Points free(2, 600), bound(2, 600);
  for (Eigen::Index i = 0; i < 600; ++i) {
    all[static_cast<std::size_t>(i)] = static_cast<std::size_t>(i);
    free.col(i) << random.normal(), random.normal();
    const auto& r = set.particles[static_cast<std::size_t>(i)].rotation;
    bound.col(i) << r[8] + 0.3 * random.normal(), random.normal();
  }
  const auto none = pose_information(set, all, free, 1), some = pose_information(set, all, bound, 1);
  ASSERT_EQ(none.parts.size(), 2u);  // all have the same angle in the plane
  EXPECT_FALSE(none.strongest().information.significant());
  EXPECT_TRUE(some.strongest().information.significant());
  EXPECT_EQ(some.strongest().name, "view");
  const auto json = pose_information_json(some);
  EXPECT_EQ(json.at("of"), "view");
  EXPECT_EQ(json.at("nats"), json.at("parts").at("view").at("nats"));
  EXPECT_TRUE(json.at("parts").contains("shift"));
  EXPECT_TRUE(pose_information(set, all, 1e-3 * bound, 1).parts.empty());  // nothing moves
  all.resize(20);
  EXPECT_TRUE(pose_information_json(pose_information(set, all, free.leftCols(20), 1)).is_null());
}

}  // namespace
}  // namespace cryoscape::landscape
