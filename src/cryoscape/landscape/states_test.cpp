#include "cryoscape/landscape/states.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cryoscape/landscape/test_clouds.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::landscape {
namespace {

LandscapeOptions with_criterion(const std::string& criterion) {
  LandscapeOptions options;
  options.criterion = criterion;
  return options;
}

/// Three clusters with the given weights, well apart.
Points three_clusters(std::vector<double> weights, Eigen::Index count, std::uint64_t seed) {
  return gaussians(weights, {{0, 0, 0}, {4, 1, 0}, {1, 4, 1}}, {0.5, 0.4, 0.6}, count, seed);
}

TEST(FindStates, SingleGaussianIsOneState) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto set = find_states(gaussians({1}, {{0, 0, 0, 0}}, {1.5}, 2000, seed), {}, seed);
    ASSERT_EQ(set.states.size(), 1u);
    EXPECT_FALSE(set.continuous);
    EXPECT_DOUBLE_EQ(set.states[0].population, 1);
    EXPECT_EQ(set.states[0].energy, 0);
    EXPECT_LT(set.states[0].peak.norm(), 0.3);
  }
}

TEST(FindStates, ClustersComeWithTheirPopulations) {
  for (const std::vector<double>& truth : {std::vector{0.6, 0.3, 0.1}, std::vector{0.65, 0.3, 0.05}})
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      const auto set = find_states(three_clusters(truth, 3000, seed), {}, seed);
      ASSERT_EQ(set.states.size(), 3u);
      EXPECT_FALSE(set.continuous);
      std::size_t members = 0;
      for (std::size_t s = 0; s < 3; ++s) {
        const auto& state = set.states[s];
        EXPECT_NEAR(state.population, truth[s], 4 * std::sqrt(truth[s] * (1 - truth[s]) / 3000));
        EXPECT_NEAR(state.energy, -std::log(state.population / set.states[0].population), 1e-12);
        EXPECT_NEAR(static_cast<double>(state.particles) / 3000, truth[s], 0.03);
        members += state.particles;
      }
      EXPECT_EQ(members, 3000u);
    }
}

TEST(FindStates, CrossValidationFindsTheClustersToo) {
  const auto set =
      find_states(three_clusters({0.6, 0.3, 0.1}, 1500, 3), with_criterion("cross-validation"), 1);
  EXPECT_EQ(set.states.size(), 3u);
  ASSERT_GE(set.selection.size(), 3u);
  EXPECT_GT(set.selection[2].score,
            set.selection[0].score + 0.1);  // held-out log-likelihood: higher is better
}

TEST(FindStates, BootstrapErrorsOfSeparateClustersAreMultinomial) {
  const Eigen::Index n = 2000;
  const auto set = find_states(gaussians({0.7, 0.3}, {{0, 0}, {10, 0}}, {0.5, 0.5}, n, 4), {}, 4);
  ASSERT_EQ(set.states.size(), 2u);
  for (const auto& state : set.states) {
    const double p = state.population, expected = std::sqrt(p * (1 - p) / static_cast<double>(n));
    EXPECT_NEAR(state.population_error / expected, 1, 0.3);
  }
  EXPECT_EQ(set.states[0].energy_error, 0);
  const double p = set.states[0].population, q = set.states[1].population;
  EXPECT_NEAR(set.states[1].energy_error * std::sqrt(static_cast<double>(n) / (1 / p + 1 / q)), 1, 0.3);
}

TEST(FindStates, OverlapRaisesTheErrorAboveCounting) {
  LandscapeOptions options;
  options.barrier = 0.3;
  const auto set = find_states(gaussians({0.7, 0.3}, {{0, 0}, {3, 0}}, {0.8, 0.8}, 2000, 5), options, 5);
  ASSERT_EQ(set.states.size(), 2u);
  const double p = set.states[1].population;
  EXPECT_NEAR(p, 0.3, 0.06);
  EXPECT_GT(set.states[1].population_error, std::sqrt(p * (1 - p) / 2000));
}

TEST(FindStates, CurvedAndUniformCloudsAreOneContinuousState) {
  for (std::uint64_t seed = 0; seed < 2; ++seed) {
    const auto curved = find_states(banana(1500, seed), {}, seed);
    EXPECT_EQ(curved.states.size(), 1u) << "seed " << seed;
    EXPECT_TRUE(curved.continuous);
    EXPECT_GT(curved.components, 1u);
    const auto uniform = find_states(segment(1500, seed), {}, seed);
    EXPECT_EQ(uniform.states.size(), 1u) << "seed " << seed;
    EXPECT_TRUE(uniform.continuous);
    EXPECT_NEAR(uniform.states[0].population, 1, 1e-9);
  }
}

TEST(FindStates, BarrierMergesWhatLiesAboveIt) {
  const auto points = gaussians({0.5, 0.5}, {{0, 0}, {3, 0}}, {0.8, 0.8}, 3000, 6);
  LandscapeOptions low;
  low.barrier = 0.5;
  const auto apart = find_states(points, low, 6);
  ASSERT_EQ(apart.states.size(), 2u);
  ASSERT_EQ(apart.barriers.size(), 1u);
  // Two equal Gaussians: at the middle each gives exp(−1.5²/(2·0.8²)), at a peak one gives 1.
  const double expected = 1.5 * 1.5 / (2 * 0.64) - std::log(2.0);
  EXPECT_NEAR(std::min(apart.barriers[0].from_a, apart.barriers[0].from_b), expected, 0.2);
  LandscapeOptions high;
  high.barrier = 2;
  const auto merged = find_states(points, high, 6);
  EXPECT_EQ(merged.states.size(), 1u);
  EXPECT_TRUE(merged.continuous);
}

TEST(FindStates, GivenNumberIsKept) {
  LandscapeOptions options;
  options.states = 4;
  const auto set = find_states(gaussians({1}, {{0, 0}}, {1}, 1000, 7), options, 7);
  EXPECT_EQ(set.states.size(), 4u);
  EXPECT_TRUE(set.selection.empty());
  double sum = 0;
  for (std::size_t s = 0; s < 4; ++s) {
    sum += set.states[s].population;
    EXPECT_LE(set.states[s].population, set.states[s > 0 ? s - 1 : 0].population);
  }
  EXPECT_NEAR(sum, 1, 1e-9);
}

TEST(FindStates, KmeansCounts) {
  LandscapeOptions options;
  options.clustering = "kmeans", options.states = 3;
  const auto set = find_states(three_clusters({0.6, 0.3, 0.1}, 2000, 8), options, 8);
  ASSERT_EQ(set.states.size(), 3u);
  for (const auto& state : set.states) {
    EXPECT_DOUBLE_EQ(state.population, static_cast<double>(state.particles) / 2000);
    EXPECT_NEAR(state.population_error, std::sqrt(state.population * (1 - state.population) / 2000), 1e-12);
  }
  EXPECT_NEAR(set.states[0].population, 0.6, 0.05);
  EXPECT_NEAR((set.states[0].peak - Eigen::Vector3d(0, 0, 0)).norm(), 0, 0.1);
  options.states = 0;
  EXPECT_THROW(find_states(three_clusters({0.6, 0.3, 0.1}, 100, 8), options, 8), UsageError);
}

TEST(FindStates, FewOrEqualPointsAreNoReasonToFail) {
  EXPECT_EQ(find_states(Points::Zero(2, 50), {}, 1).states.size(), 1u);
  EXPECT_EQ(find_states(Points::Ones(3, 1), {}, 1).states.size(), 1u);
  LandscapeOptions options;
  options.states = 5;
  EXPECT_THROW(find_states(Points::Ones(3, 4), options, 1), Error);
  EXPECT_THROW(find_states(Points(3, 0), {}, 1), Error);
}

TEST(FindStates, SameSeedSameStates) {
  const auto points = three_clusters({0.6, 0.3, 0.1}, 1000, 9);
  const auto a = find_states(points, {}, 2), b = find_states(points, {}, 2);
  ASSERT_EQ(a.states.size(), b.states.size());
  EXPECT_EQ(a.assignment, b.assignment);
  for (std::size_t s = 0; s < a.states.size(); ++s)
    EXPECT_EQ(a.states[s].population_error, b.states[s].population_error);
}

TEST(RandomSubset, IsSortedUniqueAndOfTheSizeAskedFor) {
  const auto subset = random_subset(1000, 100, 3);
  ASSERT_EQ(subset.size(), 100u);
  for (std::size_t i = 1; i < subset.size(); ++i) EXPECT_LT(subset[i - 1], subset[i]);
  EXPECT_LT(subset.back(), 1000u);
  EXPECT_EQ(random_subset(5, 10, 3).size(), 5u);
}

}  // namespace
}  // namespace cryoscape::landscape
