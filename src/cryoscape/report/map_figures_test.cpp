#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/report/figures.hpp"
#include "cryoscape/report/test_markup.hpp"

using namespace cryoscape::report;

TEST(FscFigure, HasACurveAndAResolutionPerMap) {
  std::vector<MapRecord> maps;
  for (int k = 0; k < 2; ++k) {
    MapRecord map{k ? "state_02" : "state_01", k ? std::nan("") : 7.25, {}, {}};
    for (int s = 0; s < 10; ++s) map.frequency.push_back(0.02 * s), map.fsc.push_back(1 - 0.1 * s);
    maps.push_back(map);
  }
  const auto figure = fsc_figure(maps);
  ASSERT_TRUE(figure.has_value());
  EXPECT_EQ(broken_tag(figure->svg), "");
  EXPECT_TRUE(has(figure->svg, "state_01: 7.25 Å"));
  EXPECT_TRUE(has(figure->svg, "state_02: none"));
  EXPECT_FALSE(fsc_figure({}).has_value());
}
