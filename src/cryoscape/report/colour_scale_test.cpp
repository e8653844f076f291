#include "cryoscape/report/colour_scale.hpp"

#include <gtest/gtest.h>

using namespace cryoscape::report;

namespace {

/// ITU-R BT.709 luma, 0…255.
double luma(const std::string& colour) {
  const auto part = [&](std::size_t at) { return std::stoi(colour.substr(at, 2), nullptr, 16); };
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
}

}  // namespace

TEST(ColourScale, GreysRiseEvenly) {
  const double first = luma(scale_colour(0)), last = luma(scale_colour(1));
  EXPECT_GT(last - first, 200);
  // 3 % of the range: the anchors are whole numbers chosen by eye for hue, and for luma within this.
  for (double u = 0; u <= 1; u += 0.05)
    EXPECT_NEAR(luma(scale_colour(u)), first + u * (last - first), 0.03 * (last - first)) << u;
  EXPECT_EQ(scale_colour(-1), scale_colour(0));
  EXPECT_EQ(scale_colour(7), scale_colour(1));
}

TEST(ColourScale, BarRunsUpwards) {
  const auto svg = colour_bar("bar", {10, 0, 10, 100}, "F (kT)", {0, 2}, 2);
  EXPECT_NE(svg.find("M10.00 100.00H20.00V50.00H10.00z\" fill=\"" + scale_colour(0)), std::string::npos);
  EXPECT_NE(svg.find("M10.00 50.00H20.00V0.00H10.00z\" fill=\"" + scale_colour(1)), std::string::npos);
  EXPECT_NE(svg.find("F (kT)"), std::string::npos);
}
