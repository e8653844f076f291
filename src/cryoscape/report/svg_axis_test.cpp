#include "cryoscape/report/svg_axis.hpp"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>
#include <cmath>

using namespace cryoscape::report;

TEST(Ticks, LieAtRoundNumbers) {
  const auto ticks = nice_ticks({0, 1}, 5);
  EXPECT_EQ(ticks.labels, (std::vector<std::string>{"0", "0.2", "0.4", "0.6", "0.8", "1.0"}));
  EXPECT_EQ(nice_ticks({-103.2, 97}, 4).labels, (std::vector<std::string>{"−100", "−50", "0", "50"}));
  EXPECT_EQ(nice_ticks({0, 3}, 6, true).labels, (std::vector<std::string>{"0", "1", "2", "3"}));
  EXPECT_EQ(nice_ticks({0, 3e6}, 3).labels, (std::vector<std::string>{"0", "1×10⁶", "2×10⁶", "3×10⁶"}));
  EXPECT_EQ(nice_ticks({0, 2e-5}, 4).labels[1], "0.5×10⁻⁵");
}

RC_GTEST_PROP(Ticks, AreInsideEvenAndOneTwoOrFive, ()) {
  const double low = *rc::gen::inRange(-100000, 100000) / 7.0;
  const double width = std::pow(10.0, *rc::gen::inRange(-30, 60) / 10.0);
  const int count = *rc::gen::inRange(2, 12);
  const Range range{low, low + width};
  const auto ticks = nice_ticks(range, count);
  const double mantissa = ticks.step / std::pow(10, std::floor(std::log10(ticks.step) + 1e-9));
  RC_ASSERT(std::abs(mantissa - 1) < 1e-6 || std::abs(mantissa - 2) < 1e-6 || std::abs(mantissa - 5) < 1e-6);
  RC_ASSERT(static_cast<double>(ticks.values.size()) <= 1.5 * count + 1);
  RC_ASSERT(ticks.values.size() >= static_cast<std::size_t>(count / 1.7));
  for (std::size_t i = 0; i < ticks.values.size(); ++i) {
    RC_ASSERT(ticks.values[i] >= range.low - 1e-6 * width && ticks.values[i] <= range.high + 1e-6 * width);
    if (i > 0) RC_ASSERT(ticks.labels[i] != ticks.labels[i - 1]);
  }
}

TEST(Range, SkipsWhatIsNotFinite) {
  const std::vector<double> values{NAN, 3, -2, INFINITY, 1};
  EXPECT_EQ(range_of(values).low, -2);
  EXPECT_EQ(range_of(values).high, 3);
  const std::vector<double> none{NAN}, one{4};
  EXPECT_LT(range_of(none).low, range_of(none).high);
  EXPECT_LT(range_of(one).low, 4);
  EXPECT_GT(range_of(one).high, 4);
}

TEST(Range, QuantilesLeaveOutTheFarthest) {
  std::vector<float> values;
  for (int i = 0; i <= 1000; ++i) values.push_back(static_cast<float>(1000 - i));
  values.push_back(NAN);
  EXPECT_EQ(quantile_range(values, 0.01, 0.99).low, 10);
  EXPECT_EQ(quantile_range(values, 0.01, 0.99).high, 990);
  EXPECT_EQ(quantile_range(values, 0, 1).high, 1000);
}
