#include "cryoscape/report/svg_plot.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "cryoscape/report/test_markup.hpp"

using namespace cryoscape::report;

namespace {

Panel panel() { return Panel("p", {100, 10, 200, 50}, {"x (Å)", {0, 10}}, {"y <kT>", {-1, 1}}); }

}  // namespace

TEST(Panel, DataToPixelsIsExact) {
  const auto p = panel();
  EXPECT_EQ(p.x(0), 100);
  EXPECT_EQ(p.x(10), 300);
  EXPECT_EQ(p.x(2.5), 150);
  EXPECT_EQ(p.y(-1), 60);
  EXPECT_EQ(p.y(1), 10);
  EXPECT_EQ(p.y(0.5), 22.5);
}

TEST(Panel, LineBreaksAtNaN) {
  auto p = panel();
  const std::vector<double> xs{0, 1, 2, 3, 4}, ys{0, 1, NAN, 0, INFINITY};
  p.line(xs, ys, {});
  EXPECT_NE(p.svg().find("d=\"M100.00 35.00L120.00 10.00M160.00 35.00\""), std::string::npos);
}

TEST(Panel, PointsAndBarsSkipNaN) {
  auto p = panel();
  const std::vector<double> xs{5, NAN, 5}, ys{0, 0, NAN};
  p.points(xs, ys, Marker::square, "#123456", 4, 1);
  p.bar(5, 1, NAN, "#123456");
  p.error_bar(5, NAN, 1);
  p.note_above(5, NAN, "note");
  const auto svg = p.svg();
  EXPECT_EQ(occurrences(svg, "#123456"), 1u);
  EXPECT_NE(svg.find("d=\"M200.0 35.0m"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("note"), std::string::npos);
}

TEST(Panel, BarsStandOnZero) {
  auto p = panel();
  p.bar(5, 2, 0.5, "#123456");
  EXPECT_NE(p.svg().find("x=\"180.00\" y=\"22.50\" width=\"40.00\" height=\"12.50\""), std::string::npos);
}

TEST(Panel, CellsOfALevelAreRunsOfTheirRows) {
  auto p = panel();
  p.cells({{0, 10}, {-1, 1}, 4, 2, {0, 1, 1, 2, NAN, 0, 2, 1}}, 1, 2, "#123456");
  // Row 0 lies at the bottom: its run covers the second quarter and the third.
  EXPECT_NE(p.svg().find("d=\"M150.00 60.00H250.00V35.00H150.00zM250.00 35.00H300.00V10.00H250.00z\""),
            std::string::npos);
}

TEST(Panel, AnAxisWithoutTicksIsBare) {
  EXPECT_EQ(Panel("p", {0, 0, 10, 10}, {"hidden", {0, 1}, 0}, {"shown", {0, 1}}).svg().find("hidden"),
            std::string::npos);
}

TEST(Panel, LabelsAreEscapedAndTicksCanBeHidden) {
  EXPECT_NE(panel().svg().find("y &lt;kT&gt;"), std::string::npos);
  Panel bare("p", {0, 0, 10, 10}, {"hidden", {0, 1}, 3, false, false}, {"shown", {0, 1}});
  EXPECT_EQ(bare.svg().find("hidden"), std::string::npos);
  EXPECT_NE(bare.svg().find("shown"), std::string::npos);
}

TEST(Series, ThirtyDiffer) {
  std::set<std::pair<std::string, Marker>> seen;
  for (std::size_t k = 0; k < 30; ++k) seen.insert({series_colour(k), series_marker(k)});
  EXPECT_EQ(seen.size(), 30u);
}
