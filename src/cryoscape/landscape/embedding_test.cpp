#include "cryoscape/landscape/embedding.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/landscape/test_clouds.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::landscape {
namespace {

Points in_plane(const std::vector<float>& layout) {
  return Eigen::Map<const Eigen::MatrixXf>(layout.data(), 2, static_cast<Eigen::Index>(layout.size() / 2))
      .cast<double>();
}

/// Five clusters in five dimensions, point i in cluster i % 5.
Points five_clusters(Eigen::Index count) {
  Philox random(8);
  Points points(5, count);
  for (Eigen::Index i = 0; i < count; ++i)
    for (Eigen::Index a = 0; a < 5; ++a) points(a, i) = (i % 5 == a ? 6 : 0) + 0.5 * random.normal();
  return points;
}

/// A circle of radius 3 in three dimensions, point i at angle 2πi/count.
Points circle(Eigen::Index count) {
  Philox random(6);
  Points points(3, count);
  for (Eigen::Index i = 0; i < count; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(count);
    points.col(i) << 3 * std::cos(angle), 3 * std::sin(angle), 0;
    for (double& x : points.col(i)) x += 0.05 * random.normal();
  }
  return points;
}

std::vector<float> laid_out(const Points& points, std::uint64_t seed, std::size_t most = 100000) {
  return umap_layout(points, neighbourhood_of(points, 15, most, seed), seed);
}

TEST(FuzzyGraph, IsSymmetricWithMembershipsThatAddUpToLog2K) {
  const auto points = gaussians({1}, {{0, 0, 0}}, {1}, 500, 2);
  const auto graph = NeighbourIndex(points).graph(8);
  const auto fuzzy = fuzzy_graph(graph);
  const auto weight_of = [&](std::size_t i, std::size_t j) {
    for (auto e = fuzzy.start[i]; e < fuzzy.start[i + 1]; ++e)
      if (fuzzy.neighbour[e] == j) return fuzzy.weight[e];
    return 0.0f;
  };
  for (std::size_t i = 0; i < 500; ++i) {
    double sum = 0;
    for (auto e = fuzzy.start[i]; e < fuzzy.start[i + 1]; ++e) {
      ASSERT_EQ(fuzzy.weight[e], weight_of(fuzzy.neighbour[e], i));
      ASSERT_GT(fuzzy.weight[e], 0);
      ASSERT_LE(fuzzy.weight[e], 1);
      sum += fuzzy.weight[e];
    }
    // a + b − ab is at least a, and a's add up to log₂ 8.
    EXPECT_GE(sum, 3 - 1e-3);
    EXPECT_EQ(weight_of(i, graph.index[8 * i]), 1.0f);  // the nearest belongs wholly
  }
}

TEST(FuzzyGraph, EqualPointsAreWholeMembers) {
  const Points points = Points::Zero(2, 50);
  for (const float w : fuzzy_graph(NeighbourIndex(points).graph(5)).weight) EXPECT_EQ(w, 1.0f);
}

TEST(UmapLayout, KeepsClustersApart) {
  const auto points = five_clusters(600);
  const auto plane = in_plane(laid_out(points, 1));
  // Every point's nearest in the plane is of its own cluster, as in space.
  for (Eigen::Index i = 0; i < plane.cols(); ++i) {
    Eigen::VectorXd d = (plane.colwise() - plane.col(i)).colwise().norm().transpose();
    d[i] = 1e9;
    Eigen::Index nearest = 0;
    d.minCoeff(&nearest);
    ASSERT_EQ(nearest % 5, i % 5) << i;
  }
}

TEST(UmapLayout, KeepsNeighbourhoodsBetterThanTwoComponents) {
  const auto points = five_clusters(800);
  const double umap = trustworthiness(points, laid_out(points, 1), 15),
               pca = trustworthiness(points, first_two(points), 15);
  RecordProperty("trustworthiness", std::to_string(umap));
  EXPECT_GT(umap, 0.85);
  EXPECT_GT(umap, pca + 0.05);
}

TEST(UmapLayout, ACircleStaysACircle) {
  constexpr Eigen::Index kCount = 600;
  const auto points = circle(kCount);
  const auto layout = laid_out(points, 3);
  EXPECT_GT(trustworthiness(points, layout, 15), 0.97);
  // Round its centre it winds once, in order but for noise, and has a hole.
  auto plane = in_plane(layout);
  const Eigen::Vector2d centre = plane.rowwise().mean();
  plane.colwise() -= centre;
  double winding = 0, widest = 0;
  for (Eigen::Index i = 0; i < kCount; ++i) {
    const Eigen::Vector2d a = plane.col(i), b = plane.col((i + 1) % kCount);
    winding += std::atan2(a[0] * b[1] - a[1] * b[0], a.dot(b));
    widest = std::max(widest, a.norm());
  }
  EXPECT_NEAR(std::abs(winding), 2 * std::numbers::pi, 1e-6);
  EXPECT_GT(plane.colwise().norm().minCoeff(), 0.2 * widest);
}

TEST(UmapLayout, DependsOnTheSeedAndNotOnThreads) {
  const auto points = banana(400, 5);
  const auto threads = thread_count();
  set_thread_count(1);
  const auto one = laid_out(points, 7);
  set_thread_count(3);
  const auto three = laid_out(points, 7);
  set_thread_count(threads);
  EXPECT_EQ(one, three);
  EXPECT_NE(one, laid_out(points, 8));
}

TEST(UmapLayout, ManyPointsArePlacedByTheirNeighbours) {
  const auto points = five_clusters(800);
  const auto layout = laid_out(points, 2, 400);
  EXPECT_GT(trustworthiness(points, layout, 15), 0.85);
}

TEST(UmapLayout, TakesVeryFewAndEqualPoints) {
  EXPECT_EQ(laid_out(segment(1, 1), 0).size(), 2u);
  for (const auto& layout : {laid_out(segment(4, 1), 0), laid_out(Points::Zero(1, 30), 0)})
    for (const float x : layout) EXPECT_TRUE(std::isfinite(x));
}

TEST(Trustworthiness, IsOneForTheSameAndLowForAShuffledPlane) {
  Points points = Points::Random(2, 300);
  std::vector<float> same = first_two(points), shuffled = same;
  std::rotate(shuffled.begin(), shuffled.begin() + 200, shuffled.end());
  EXPECT_DOUBLE_EQ(trustworthiness(points, same, 10), 1);
  EXPECT_NEAR(trustworthiness(points, shuffled, 10), 0.5, 0.1);
}

}  // namespace
}  // namespace cryoscape::landscape
