#include "cryoscape/landscape/neighbours.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "cryoscape/landscape/test_clouds.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::landscape {
namespace {

/// Distances to all other points, sorted.
std::vector<double> all_distances(const Points& points, Eigen::Index i) {
  std::vector<double> out;
  for (Eigen::Index j = 0; j < points.cols(); ++j)
    if (j != i) out.push_back((points.col(i) - points.col(j)).norm());
  std::sort(out.begin(), out.end());
  return out;
}

/// Share of the k nearest that were found: those no farther than the true k-th, but for rounding to float.
double recall(const Points& points, const NeighbourGraph& graph) {
  std::size_t right = 0;
  const auto k = graph.neighbours;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const auto true_ones = all_distances(points, static_cast<Eigen::Index>(i));
    for (std::size_t r = 0; r < k; ++r)
      right += graph.distance[i * k + r] <= true_ones[k - 1] * (1 + 1e-5) + 1e-6;
  }
  return static_cast<double>(right) / static_cast<double>(graph.index.size());
}

TEST(NeighbourIndex, FindsTheTrueNeighbours) {
  for (const std::size_t dimension : {1, 3, 10}) {
    const std::vector<double> origin(dimension, 0.0);
    const auto points = gaussians({1}, {origin}, {1.5}, 1500, 3);
    const auto graph = NeighbourIndex(points).graph(15);
    ASSERT_EQ(graph.size(), 1500u);
    EXPECT_GT(recall(points, graph), 0.99) << dimension;
    for (std::size_t i = 0; i < graph.size(); ++i)
      for (std::size_t r = 0; r < 15; ++r) {
        const auto j = graph.index[i * 15 + r];
        ASSERT_NE(j, i);
        const double d = (points.col(static_cast<Eigen::Index>(i)) - points.col(j)).norm();
        ASSERT_NEAR(graph.distance[i * 15 + r], d, 1e-5 * (1 + d));
        if (r > 0) {
          ASSERT_GE(graph.distance[i * 15 + r], graph.distance[i * 15 + r - 1]);
        }
      }
  }
}

TEST(NeighbourIndex, FindsThemAcrossClustersAndRepeatedPoints) {
  // As hard latents decode: 40 structures, each of many particles.
  auto points = gaussians({1}, {{0, 0, 0}}, {2}, 1000, 4);
  for (Eigen::Index i = 40; i < points.cols(); ++i) points.col(i) = points.col(i % 40);
  const auto graph = NeighbourIndex(points).graph(10);
  EXPECT_GT(recall(points, graph), 0.99);
}

TEST(NeighbourIndex, DoesNotDependOnThreads) {
  const auto points = banana(1500, 9);
  const auto threads = thread_count();
  set_thread_count(1);
  const auto one = NeighbourIndex(points).graph(8);
  set_thread_count(3);
  const auto three = NeighbourIndex(points).graph(8);
  set_thread_count(threads);
  EXPECT_EQ(one.index, three.index);
  EXPECT_EQ(one.distance, three.distance);
}

TEST(NeighbourIndex, OtherPointsFindTheNearestOfTheIndex) {
  const auto points = segment(1000, 2), others = segment(50, 3);
  const auto found = NeighbourIndex(points).nearest(others, 3);
  for (Eigen::Index i = 0; i < others.cols(); ++i) {
    const double nearest = (points.colwise() - others.col(i)).colwise().norm().minCoeff();
    EXPECT_NEAR(found.distance[3 * static_cast<std::size_t>(i)], nearest, 1e-5);
  }
}

TEST(NeighbourIndex, FewPointsHaveFewNeighbours) {
  const Points three = segment(3, 1), one = segment(1, 1);
  EXPECT_EQ(NeighbourIndex(three).graph(15).neighbours, 2u);
  EXPECT_EQ(NeighbourIndex(one).graph(15).neighbours, 0u);
  EXPECT_EQ(NeighbourIndex(one).nearest(three, 15).neighbours, 1u);
}

TEST(Neighbourhood, CoversAllPointsByTheirNearestAmongSome) {
  const auto points = segment(500, 4);
  const auto found = neighbourhood_of(points, 4, 200, 1);
  EXPECT_EQ(found.members.size(), 200u);
  EXPECT_EQ(found.others.size(), 300u);
  const auto means = mean_distances(found);
  const auto distances_to_members = [&](std::size_t i) {
    std::vector<double> d;
    for (const auto m : found.members)
      if (m != i)
        d.push_back(
            (points.col(static_cast<Eigen::Index>(i)) - points.col(static_cast<Eigen::Index>(m))).norm());
    std::sort(d.begin(), d.end());
    return d;
  };
  for (const auto i : {found.members[3], found.others[5], found.others[299]}) {
    const auto d = distances_to_members(i);
    EXPECT_NEAR(means[i], (d[0] + d[1] + d[2] + d[3]) / 4, 1e-5);
  }
  EXPECT_EQ(mean_distances(neighbourhood_of(segment(1, 1), 4, 200, 1)), std::vector<float>{0});
}

}  // namespace
}  // namespace cryoscape::landscape
