#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cryoscape/report/figures.hpp"
#include "cryoscape/report/test_markup.hpp"
#include "cryoscape/report/variable_label.hpp"

namespace cryoscape::report {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
const std::string kCurve = "stroke-width=\"2\"", kBand = "fill-opacity=\"0.25\"";

/// A double well along s with its minima at 0.2 (0 kT) and 0.8 (1 kT) and a barrier of 5 kT at 0.5.
LandscapeRecord double_well() {
  FreeEnergyRecord exact;
  exact.variable = "path:/data/adk.pdb", exact.kind = "path", exact.source = "likelihood";
  exact.units = {""}, exact.grid = {{}};
  for (int k = 0; k <= 100; ++k) {
    const double s = 0.01 * k, u = (s - 0.5) / 0.3, f = 5 * (1 - u * u) * (1 - u * u);
    exact.grid[0].push_back(s);
    exact.energy.push_back(f * (u < 0 ? 1 : 0.8) + (u < 0 ? 0 : 1));
    exact.low.push_back(exact.energy.back() - 0.5), exact.high.push_back(exact.energy.back() + 0.7);
    exact.raw_histogram.push_back(k == 20 ? 4 : k == 80 ? 1 : 0);
  }
  exact.basins = {{0.9521, 0.0019, 0, {0.2}}, {0.0479, 0.0019, 1, {0.8}}};
  exact.barriers = {{0, 1, 5, 0.69, {0.5}}};
  LandscapeRecord out;
  out.free_energy = {exact};
  return out;
}

}  // namespace

TEST(FreeEnergyFigure, NothingWithoutAVariable) {
  LandscapeRecord record;
  EXPECT_FALSE(free_energy_figure(record));
  record = double_well();
  for (auto& f : record.free_energy[0].energy) f = kNaN;
  EXPECT_FALSE(free_energy_figure(record));
}

TEST(FreeEnergyFigure, BandContainsTheCurve) {
  const auto figure = free_energy_figure(double_well());
  ASSERT_TRUE(figure);
  EXPECT_EQ(broken_tag(figure->svg), "");
  const auto curve = path_points(figure->svg, kCurve), band = path_points(figure->svg, kBand);
  ASSERT_EQ(curve.size(), 101u);
  ASSERT_EQ(band.size(), 202u);  // there along the upper ends, back along the lower
  for (std::size_t k = 0; k < curve.size(); ++k) {
    EXPECT_EQ(band[k].x, curve[k].x);
    EXPECT_EQ(band[201 - k].x, curve[k].x);
    EXPECT_LT(band[k].y, curve[k].y);  // pixels grow downwards
    EXPECT_GT(band[201 - k].y, curve[k].y);
    EXPECT_NEAR((curve[k].y - band[k].y) / (band[201 - k].y - curve[k].y), 1.4, 0.01);
  }
}

TEST(FreeEnergyFigure, SaysWhatTheBandHolds) {
  auto record = double_well();
  EXPECT_TRUE(has(free_energy_figure(record)->caption, "bootstrap over particles)"));
  record.free_energy[0].bars = "with half-set decoders";
  const auto figure = free_energy_figure(record);
  EXPECT_EQ(broken_tag(figure->svg), "");
  EXPECT_TRUE(has(figure->svg, ">with half-set decoders<"));
  EXPECT_TRUE(has(figure->caption, "bootstrap over particles, with half-set decoders)"));
}

TEST(FreeEnergyFigure, MarksLieOnTheCurveAndTellPopulationsAndBarriers) {
  const auto figure = free_energy_figure(double_well());
  ASSERT_TRUE(figure);
  const auto curve = path_points(figure->svg, kCurve), raw = path_points(figure->svg, "#777777");
  ASSERT_EQ(raw.size(), 2u);
  EXPECT_NEAR(raw[0].x, curve[20].x, 0.06);
  EXPECT_NEAR(raw[0].y, curve[20].y, 0.06);
  // ln 4 above the minimum, where the well lies 1 kT above it.
  EXPECT_NEAR((raw[0].y - raw[1].y) / (curve[20].y - curve[80].y), std::log(4.0), 0.01);
  EXPECT_TRUE(has(figure->svg, ">1: 95.21 ± 0.19 %<"));
  EXPECT_TRUE(has(figure->svg, ">2: 4.79 ± 0.19 %<"));
  EXPECT_TRUE(has(figure->svg, ">1 → 2: 5.00 ± 0.69 kT<"));
  EXPECT_TRUE(has(figure->svg, fmt::format("M{:.1f} {:.1f}m0 -4.38", curve[50].x, curve[50].y)));
  EXPECT_TRUE(has(figure->svg, "Position along the path"));
  EXPECT_TRUE(has(figure->caption, "along path:adk.pdb"));
}

TEST(FreeEnergyFigure, PriorStandsBesideOrAlone) {
  auto record = double_well();
  auto prior = record.free_energy[0];
  prior.source = "prior", prior.low = prior.high = {}, prior.basins = {}, prior.barriers = {};
  prior.energy[50] = kNaN;
  record.free_energy.push_back(prior);
  EXPECT_TRUE(has(free_energy_figure(record)->caption, "of samples of the prior (dash-dotted)"));
  EXPECT_EQ(path_points(free_energy_figure(record)->svg, "8 3 2 3").size(), 100u);
  record.free_energy.erase(record.free_energy.begin());
  const auto alone = free_energy_figure(record);
  EXPECT_EQ(broken_tag(alone->svg), "");
  EXPECT_FALSE(has(alone->svg, kBand));
  EXPECT_FALSE(has(alone->caption, "likelihoods"));
}

TEST(FreeEnergyFigure, OtherVariablesAreNotMixedIn) {
  auto record = double_well();
  auto other = record.free_energy[0];
  other.source = "prior", other.variable = "pc1";
  record.free_energy.push_back(other);
  EXPECT_FALSE(has(free_energy_figure(record)->caption, "samples of the prior"));
}

TEST(FreeEnergyFigure, TailsDoNotSetTheScale) {
  auto record = double_well();  // whose ends rise to 15.8 kT
  const auto before = path_points(free_energy_figure(record)->svg, kCurve);
  record.free_energy[0].energy[0] = record.free_energy[0].high[0] = 500;
  const auto after = path_points(free_energy_figure(record)->svg, kCurve);
  EXPECT_EQ(after[20].y, before[20].y);
  EXPECT_EQ(after[50].y, before[50].y);
  EXPECT_LT(after[0].y, 0);
}

TEST(VariableLabel, SaysWhatAndItsUnit) {
  FreeEnergyRecord record;
  record.variable = "pc2;dihedral:A:1,A:2,A:3,A:4", record.units = {"A", "degrees"};
  EXPECT_EQ(variable_label(record, 0), "Principal component 2 (Å)");
  EXPECT_EQ(variable_label(record, 1), "Dihedral angle (°)");
  EXPECT_EQ(variable_name("rmsd:/a/b.cif;pc1"), "rmsd:b.cif and pc1");
}

}  // namespace cryoscape::report
