#include "cryoscape/report/density_grid.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

using namespace cryoscape::report;

TEST(DensityGrid, CountsPointsInTheirCells) {
  const std::vector<float> xs{0.1f, 0.9f, 1.0f, 0.4f, NAN, 2.0f}, ys{0.1f, 0.1f, 1.0f, 0.9f, 0.5f, 0.5f};
  const auto grid = count_points(xs, ys, {0, 1}, {0, 1}, 2);
  EXPECT_EQ(grid.values, (std::vector<double>{1, 1, 1, 1}));
  EXPECT_EQ(count_values(xs, {0, 1}, 2), (std::vector<double>{2, 2}));
}

TEST(DensityGrid, BlurKeepsTheSumAndGivesAGaussian) {
  DensityGrid grid{{0, 1}, {0, 1}, 41, 41, std::vector<double>(41 * 41, 0.0)};
  grid.values[20 * 41 + 20] = 1;
  blur(grid, 2);
  EXPECT_NEAR(std::accumulate(grid.values.begin(), grid.values.end(), 0.0), 1, 1e-12);
  EXPECT_NEAR(grid.at(23, 20) / grid.at(20, 20), std::exp(-9.0 / 8), 1e-12);
  EXPECT_NEAR(grid.at(23, 24) / grid.at(20, 20), std::exp(-25.0 / 8), 1e-12);
}

TEST(DensityGrid, LevelEnclosesTheShare) {
  DensityGrid grid{{0, 1}, {0, 1}, 2, 2, {1, 4, 3, 2}};
  EXPECT_EQ(enclosing_level(grid, 0.4), 4);
  EXPECT_EQ(enclosing_level(grid, 0.7), 3);
  EXPECT_EQ(enclosing_level(grid, 1.0), 1);
}

TEST(Contour, OfAConeIsACircle) {
  const std::size_t n = 100;
  DensityGrid grid{{-1, 1}, {-2, 2}, n, n, std::vector<double>(n * n)};
  for (std::size_t r = 0; r < n; ++r)
    for (std::size_t c = 0; c < n; ++c)
      grid.values[r * n + c] = 1 - std::hypot(-1 + 2 * (c + 0.5) / n, -1 + 2 * (r + 0.5) / n);
  const auto segments = contour(grid, 0.5);
  ASSERT_GT(segments.size(), 100u);
  double length = 0;
  for (const auto& s : segments) {
    EXPECT_NEAR(std::hypot(s.x0, s.y0 / 2), 0.5, 1e-3);
    length += std::hypot(s.x1 - s.x0, (s.y1 - s.y0) / 2);
  }
  EXPECT_NEAR(length, M_PI, 0.01);
}

TEST(Contour, SaddleFollowsItsCentre) {
  // Two high corners that do not meet: the contour cuts off each of them.
  DensityGrid apart{{0, 2}, {0, 2}, 2, 2, {1, 0, 0, 1}};
  for (const auto& s : contour(apart, 0.75)) EXPECT_NEAR(std::abs(s.x0 - s.x1), 0.25, 1e-12);
  // They meet: it cuts off the low corners.
  DensityGrid joined = apart;
  const auto segments = contour(joined, 0.25);
  ASSERT_EQ(segments.size(), 2u);
  for (const auto& s : segments) EXPECT_GT((s.x0 - 1) * (s.y0 - 1) + (s.x1 - 1) * (s.y1 - 1), -1);
  for (const auto& s : segments) EXPECT_LT((s.x0 + s.x1 - 2) * (s.y0 + s.y1 - 2), 0);
}

TEST(Contour, OfAPlaneCrossesAGridThatIsNotSquareAndStopsAtNaN) {
  DensityGrid grid{{0, 3}, {0, 2}, 3, 2, {0, 1, 2, 0, 1, 2}};
  ASSERT_EQ(contour(grid, 0.5).size(), 1u);
  EXPECT_NEAR(contour(grid, 0.5)[0].x0, 1, 1e-12);
  EXPECT_NEAR(contour(grid, 0.5)[0].x1, 1, 1e-12);
  grid.values[0] = NAN;
  EXPECT_TRUE(contour(grid, 0.5).empty());
  EXPECT_EQ(contour(grid, 1.5).size(), 1u);
}

TEST(DensityGrid, RefinedIsExactOnAPlane) {
  DensityGrid grid{{0, 3}, {0, 2}, 3, 2, {0, 1, 2, 10, 11, 12}};
  const auto fine = refined(grid, 4);
  ASSERT_EQ(fine.columns, 12u);
  ASSERT_EQ(fine.rows, 8u);
  for (std::size_t r = 2; r < 6; ++r)
    for (std::size_t c = 2; c < 10; ++c)
      EXPECT_NEAR(fine.at(c, r), (c + 0.5) / 4 - 0.5 + 10 * ((r + 0.5) / 4 - 0.5), 1e-12);
  EXPECT_EQ(fine.at(0, 0), 0);
  EXPECT_EQ(fine.at(11, 7), 12);
  grid.values[5] = INFINITY;
  EXPECT_TRUE(std::isnan(refined(grid, 4).at(11, 7)));
}
