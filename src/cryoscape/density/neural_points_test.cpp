#include "cryoscape/density/neural_points.hpp"

#include <gtest/gtest.h>

#include <cmath>

using namespace cryoscape;
using namespace cryoscape::density;

namespace {

constexpr int kBox = 16, kCount = 2000;
constexpr double kRadius = 6;

/// How many points satisfy a condition.
template <class Condition>
int number(const std::vector<float>& points, Condition&& condition) {
  int count = 0;
  for (std::size_t i = 0; i < points.size(); i += 3)
    count += condition(points[i], points[i + 1], points[i + 2]);
  return count;
}

double length(double x, double y, double z) { return std::sqrt(x * x + y * y + z * z); }

}  // namespace

TEST(DrawPoints, FollowTheDensityInsideTheBall) {
  std::vector<float> map(kBox * kBox * kBox, 0.05f);  // below the threshold
  const auto at = [](int x, int y, int z) {
    return ((z + kBox / 2) * kBox + y + kBox / 2) * kBox + x + kBox / 2;
  };
  map[at(3, -1, 2)] = 1, map[at(-2, 0, 1)] = 0.4f;  // 0.9 and 0.3 above it
  map[at(7, 7, 7)] = 1;                             // outside
  Philox random(1);
  const auto points = draw_points(kBox, map, kRadius, kCount, random);
  ASSERT_EQ(points.size(), 3u * kCount);
  const auto near = [&](int px, int py, int pz) {
    return number(points, [&](float x, float y, float z) {
      return std::abs(x - px) <= 0.5 && std::abs(y - py) <= 0.5 && std::abs(z - pz) <= 0.5;
    });
  };
  // 1400 points follow, 3 : 1; of the others less than one in 900 lies in a voxel. 4 standard deviations.
  EXPECT_NEAR(near(3, -1, 2), 1050, 70);
  EXPECT_NEAR(near(-2, 0, 1), 350, 70);
  EXPECT_EQ(near(7, 7, 7), 0);
}

TEST(DrawPoints, AreUniformInTheBallWithoutDensity) {
  Philox random(2);
  const auto points =
      draw_points(kBox, std::vector<float>(kBox * kBox * kBox, 0.0f), kRadius, kCount, random);
  ASSERT_EQ(points.size(), 3u * kCount);
  EXPECT_EQ(number(points, [](auto x, auto y, auto z) { return length(x, y, z) > kRadius + 1e-4; }), 0);
  // An eighth lies within half the radius, half on either side; 4 standard deviations.
  EXPECT_NEAR(number(points, [](auto x, auto y, auto z) { return length(x, y, z) < kRadius / 2; }), 250, 60);
  EXPECT_NEAR(number(points, [](auto x, auto, auto) { return x > 0; }), 1000, 90);
}
