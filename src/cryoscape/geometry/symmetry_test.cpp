#include "cryoscape/geometry/symmetry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/util/test_error.hpp"

using namespace cryoscape;
using namespace cryoscape::geometry;

namespace {

bool near(const Mat3& a, const Mat3& b, double tolerance) {
  return std::equal(a.begin(), a.end(), b.begin(),
                    [&](double x, double y) { return std::abs(x - y) < tolerance; });
}

bool holds(const std::vector<Mat3>& group, const Mat3& m, double tolerance) {
  return std::any_of(group.begin(), group.end(), [&](const Mat3& g) { return near(g, m, tolerance); });
}

}  // namespace

TEST(PointGroup, HasItsOrderAndIsClosed) {
  const std::pair<const char*, std::size_t> orders[] = {{"C1", 1},   {"c7", 7},  {"C99", 99}, {"D2", 4},
                                                        {"d11", 22}, {"T", 12},  {"O", 24},   {"I", 60},
                                                        {"I1", 60},  {"I2", 60}, {"I3", 60},  {"I4", 60}};
  for (const auto& [symbol, order] : orders) {
    const auto group = point_group(symbol);
    ASSERT_EQ(group.size(), order) << symbol;
    EXPECT_TRUE(near(group[0], {1, 0, 0, 0, 1, 0, 0, 0, 1}, 1e-12));
    for (const auto& a : group) {
      EXPECT_NEAR(determinant(a), 1, 1e-9);
      EXPECT_TRUE(holds(group, transpose(a), 1e-9)) << symbol;
      if (order > 24) continue;
      for (const auto& b : group) EXPECT_TRUE(holds(group, multiply(a, b), 1e-9)) << symbol;
    }
  }
}

/// What relion_refine --print_symmetry_ops prints for each group; its axes have six digits.
TEST(PointGroup, IsSetAsInRelion) {
  const std::pair<const char*, Mat3> operators[] = {
      {"T", {-1, 0, 0, 0, 1.0 / 3, 0.94281, 0, 0.94281, -1.0 / 3}},
      {"O", {0, 1, 0, 0, 0, 1, 1, 0, 0}},
      {"D2", {1, 0, 0, 0, -1, 0, 0, 0, -1}},
      {"I1", {0.80902, -0.5, -0.30902, 0.5, 0.30902, 0.80902, -0.30902, -0.80902, 0.5}},
      {"I1", {0.5, -0.30902, -0.80902, 0.30902, -0.80902, 0.5, -0.80902, -0.5, -0.30902}},
      {"I", {0.5, 0.80902, 0.30902, -0.80902, 0.30902, 0.5, 0.30902, -0.5, 0.80902}},
      {"I2", {-0.30902, 0.5, 0.80902, -0.5, -0.80902, 0.30902, 0.80902, -0.30902, 0.5}},
      {"I3", {-0.44721, 0, -0.89443, 0, -1, 0, -0.89443, 0, 0.44721}},
      {"I3", {0.309017, 0.951057, 0, -0.951057, 0.309017, 0, 0, 0, 1}},
      {"I4", {0.8618, 0.42533, 0.27639, -0.42533, 0.30902, 0.85065, 0.27639, -0.85065, 0.44721}},
      {"I4", {0.6382, 0.26287, 0.72361, -0.26287, -0.80902, 0.52573, 0.72361, -0.52573, -0.44721}}};
  for (const auto& [symbol, matrix] : operators)
    EXPECT_TRUE(holds(point_group(symbol), matrix, 1e-4)) << symbol;
}

TEST(PointGroup, UnknownSymbolsAreErrors) {
  for (const char* symbol : {"", "C", "C0", "D1", "C100", "X3", "I5", "C-2", "O2", "CC"})
    EXPECT_NE(error_of([&] { point_group(symbol); }).find("is no point group"), std::string::npos) << symbol;
}
