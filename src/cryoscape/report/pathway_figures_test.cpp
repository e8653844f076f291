#include <gtest/gtest.h>

#include "cryoscape/report/figures.hpp"
#include "cryoscape/report/test_markup.hpp"

namespace cryoscape::report {

TEST(TreeFigure, NeedsTwoMinima) {
  LandscapeRecord record;
  EXPECT_FALSE(tree_figure(record));
  record.minima = {{0, 1}};
  EXPECT_FALSE(tree_figure(record));
}

TEST(TreeFigure, LinesRunFromMinimaToTheirForks) {
  LandscapeRecord record;
  record.minima = {{0, 0.6}, {2, 0.3}, {1, 0.1}, {3, 0}};
  record.tree = {{4, {0, 2}}, {6, {4, 1}}};  // the fourth minimum stays apart
  const auto figure = tree_figure(record);
  ASSERT_TRUE(figure);
  EXPECT_EQ(broken_tag(figure->svg), "");
  const auto p = path_points(figure->svg, "stroke-width=\"1.6\"");
  // Two roots of one segment, then three segments a fork; two points a segment.
  ASSERT_EQ(p.size(), 2 * (2 + 3 * 2u));
  const double kt = (p[4].y - p[5].y) / 4;  // minimum 1 rises by 4 kT
  EXPECT_GT(kt, 0);
  EXPECT_EQ(p[4].x, p[5].x);
  EXPECT_NEAR((p[6].y - p[7].y) / kt, 3, 0.02);  // minimum 3, at 1 kT
  EXPECT_NEAR((p[4].y - p[6].y) / kt, 1, 0.02);
  EXPECT_EQ(p[8].x, p[4].x);  // the bar joins the two
  EXPECT_EQ(p[9].x, p[6].x);
  EXPECT_NEAR(p[10].x, 0.5 * (p[4].x + p[6].x), 0.11);  // the fork goes on from its middle
  EXPECT_NEAR((p[10].y - p[11].y) / kt, 2, 0.02);
  EXPECT_LT(p[6].x, p[12].x);  // leaves below one fork lie beside each other
  EXPECT_TRUE(has(figure->svg, ">1 (60 %)<"));
  EXPECT_TRUE(has(figure->svg, ">4 (0 %)<"));
}

TEST(PathFigure, CurvesAndTheirPasses) {
  LandscapeRecord record;
  EXPECT_FALSE(path_figure(record));
  record.minima = {{0, 0.5}, {1, 0.3}, {1, 0.2}};
  record.paths = {{0, 1, {0, 1, 2}, {0, 4.5, 1}}, {1, 2, {0, 2, 4}, {1, 3, 1}}};
  const auto figure = path_figure(record);
  ASSERT_TRUE(figure);
  EXPECT_EQ(broken_tag(figure->svg), "");
  EXPECT_TRUE(has(figure->svg, ">1 → 2: 4.50 kT<"));
  EXPECT_TRUE(has(figure->svg, ">2 → 3: 2.00 kT<"));
  const auto p = path_points(figure->svg, "stroke-width=\"1.8\"");
  ASSERT_EQ(p.size(), 3u);
  EXPECT_NEAR((p[0].y - p[1].y) / (p[0].y - p[2].y), 4.5, 0.01);
  EXPECT_NEAR(p[1].x - p[0].x, p[2].x - p[1].x, 0.011);
}

TEST(TreeFigure, BarsHold95PercentOfTheErrors) {
  LandscapeRecord record;
  record.minima = {{0, 0.6, 0}, {2, 0.4, 0.5}};
  record.tree = {{4, {0, 1}, 1}};
  const auto figure = tree_figure(record);
  EXPECT_EQ(broken_tag(figure->svg), "");
  const auto plain = [&] {
    auto without = record;
    without.minima[1].energy_error = without.tree[0].energy_error = kNoError;
    return tree_figure(without)->svg;
  }();
  EXPECT_GT(occurrences(figure->svg, "stroke-width=\"1.2\""), occurrences(plain, "stroke-width=\"1.2\""));
}

TEST(PathFigure, ABandHoldsTheErrorsOfAPath) {
  LandscapeRecord record;
  record.minima = {{0, 0.5}, {1, 0.5}};
  record.paths = {{0, 1, {0, 1, 2}, {0, 4.5, 1}}};
  const auto plain = path_figure(record)->svg;
  record.paths[0].energy_errors = {0, 0.5, 0.25};
  const auto with = path_figure(record)->svg;
  EXPECT_EQ(broken_tag(with), "");
  EXPECT_EQ(occurrences(with, "fill-opacity"), occurrences(plain, "fill-opacity") + 1);
  // The band needs room above the pass: 1.96 · 0.5 kT.
  const auto height = [](const std::string& svg) {
    const auto p = path_points(svg, "stroke-width=\"1.8\"");
    return p[0].y - p[1].y;
  };
  EXPECT_LT(height(with), height(plain));
}

}  // namespace cryoscape::report
