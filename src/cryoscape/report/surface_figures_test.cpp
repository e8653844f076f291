#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cryoscape/report/colour_scale.hpp"
#include "cryoscape/report/figures.hpp"
#include "cryoscape/report/test_markup.hpp"

namespace cryoscape::report {
namespace {

/// Two Gaussian wells of widths 0.5 that share a plane 0.8 to 0.2: at (−2, 1) and (2, −1). 61 × 31 points.
LandscapeRecord two_wells() {
  FreeEnergyRecord record;
  record.variable = "pc1;pc2", record.kind = "pc;pc", record.source = "prior", record.units = {"A", "A"};
  record.grid = {{}, {}};
  for (int i = 0; i <= 60; ++i) record.grid[0].push_back(-4 + 8.0 * i / 60);
  for (int j = 0; j <= 30; ++j) record.grid[1].push_back(-3 + 6.0 * j / 30);
  const auto well = [](double x, double y) { return std::exp(-2 * (x * x + y * y)); };
  for (const double x : record.grid[0])
    for (const double y : record.grid[1]) {
      const double p = well(x + 2, y - 1) + 0.25 * well(x - 2, y + 1);
      record.energy.push_back(p > 1e-6 ? -std::log(p) : std::numeric_limits<double>::quiet_NaN());
    }
  LandscapeRecord out;
  out.free_energy = {record};
  return out;
}

}  // namespace

TEST(SurfaceFigure, NothingWithoutTwoVariables) { EXPECT_FALSE(surface_figure({})); }

TEST(SurfaceFigure, MinimaStandWhereTheWellsAreWithTheirShares) {
  const auto figure = surface_figure(two_wells());
  ASSERT_TRUE(figure);
  EXPECT_EQ(broken_tag(figure->svg), "");
  EXPECT_TRUE(has(figure->svg, ">80 %<"));
  EXPECT_TRUE(has(figure->svg, ">20 %<"));
  // The frame, 360 pixels from (70, 14), holds 61 × 31 cells with the points at their centres.
  const auto at = [](double i, double j) {
    return fmt::format("M{:.1f} {:.1f}h.01", 70 + 360 * (i + 0.5) / 61, 14 + 360 * (1 - (j + 0.5) / 31));
  };
  EXPECT_TRUE(has(figure->svg, at(15, 20))) << at(15, 20);
}

TEST(SurfaceFigure, ColoursAreTheEnergysLevels) {
  const auto figure = surface_figure(two_wells());
  // Levels of 1 kT up to 10 and no further: dark in the deeper well, white where there is nothing.
  for (int k = 0; k < 10; ++k) EXPECT_EQ(occurrences(figure->svg, scale_colour(k / 9.0)), 2u) << k;
  EXPECT_TRUE(has(figure->caption, "from 9 kT on one colour"));
  double left = 1e9, right = 0;
  for (const auto& p : path_points(figure->svg, "fill=\"" + scale_colour(0)))
    left = std::min(left, p.x), right = std::max(right, p.x);
  // F < 1 kT within 0.71 of the well's centre at x = −2 in [−4.07, 4.07].
  EXPECT_NEAR(left, 70 + 360 * (-2.707 + 4.067) / 8.133, 3);
  EXPECT_LT(right, 70 + 180);
}

TEST(SurfaceFigure, BasinsOfTheRecordAreTakenWhereItHasThem) {
  auto record = two_wells();
  record.free_energy[0].basins = {{0.5, 0.01, 0, {0, 0}}};
  const auto figure = surface_figure(record);
  EXPECT_TRUE(has(figure->svg, ">50.0 ± 1.0 %<"));
  EXPECT_TRUE(has(figure->svg, "M250.0 194.0h.01"));
  EXPECT_FALSE(has(figure->svg, ">80 %<"));
}

}  // namespace cryoscape::report
