#include "cryoscape/landscape/decoder_spread.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/util/random.hpp"

namespace cryoscape::landscape {
namespace {

constexpr double kRounding = 1e-12;

/// F(x) at `points` values from `first` to `last`, all with one error.
template <class Energy>
EnergyCurve curve(double first, double last, std::size_t points, double error, Energy energy) {
  EnergyCurve out;
  for (std::size_t k = 0; k < points; ++k) {
    out.at.push_back(first + (last - first) * static_cast<double>(k) / static_cast<double>(points - 1));
    out.energy.push_back(energy(out.at.back())), out.error.push_back(error);
  }
  return out;
}

double largest(const std::vector<double>& values) { return *std::max_element(values.begin(), values.end()); }

/// 0 but for the last tenth of 0 … 1, where it is `step`.
auto step_at_the_end(double step) {
  return [step](double x) { return x > 0.9 ? step : 0.0; };
}

}  // namespace

TEST(DecoderVariance, IsHalfTheSquaredDifferenceLessTheMeanSquaredError) {
  EXPECT_DOUBLE_EQ(decoder_variance(Measured{1, 0.1}, {3, 0.3}), 2 - 0.05);
  EXPECT_EQ(decoder_variance(Measured{1, 1}, {2, 0.5}), 0);
}

TEST(DecoderVarianceOfCurves, OffsetsAndGridsDoNotCount) {
  const auto slope = [](double x) { return 3 * x; };
  const auto own = curve(0, 1, 101, 0, slope);
  // A straight line is interpolated exactly, whatever the grid.
  for (const auto& other : {curve(0, 1, 101, 0, [](double x) { return 3 * x + 7; }),
                            curve(-0.3, 1.2, 38, 0, slope), curve(0.2, 0.9, 61, 0, slope)}) {
    const auto found = decoder_variance(own, other);
    ASSERT_EQ(found.size(), 101u);
    EXPECT_LT(largest(found), kRounding);
  }
}

TEST(DecoderVarianceOfCurves, BootstrapErrorsThatSayItAllLeaveNothing) {
  const auto own = curve(0, 1, 51, 0.3, [](double) { return 0.0; }),
             other = curve(0, 1, 51, 0.3, [](double x) { return 0.2 * std::sin(20 * x); });
  EXPECT_EQ(largest(decoder_variance(own, other)), 0);
}

TEST(DecoderVarianceOfCurves, IsTheMeanWhereMoleculesAreAndTheWindowsWhereThatIsMore) {
  // 200 points, the last 20 of which (x > 0.9) differ by 0.5 kT; the window reaches ten to either side.
  const auto own = curve(0.0025, 0.9975, 200, 0.1, step_at_the_end(0)),
             other = curve(0.0025, 0.9975, 200, 0.2, step_at_the_end(0.5));
  const double offset = std::log(0.9 + 0.1 * std::exp(-0.5)), noise = (0.01 + 0.04) / 2,
               common = offset * offset / 2 - noise, end = (0.5 + offset) * (0.5 + offset) / 2 - noise,
               mean = 0.9 * common + 0.1 * end;
  const auto found = decoder_variance(own, other);
  EXPECT_NEAR(found[0], std::max(0.0, mean), kRounding);
  EXPECT_NEAR(found[199], end, kRounding);
  EXPECT_NEAR(found[180], (10 * common + 11 * end) / 21, kRounding);
}

TEST(DecoderVarianceOfCurves, RareConformationsDoNotSetTheMean) {
  // 5 kT up is less than 1 % of the maximum: there the curves differ by 2 kT, elsewhere by next to nothing.
  const auto own = curve(0, 1, 101, 0, step_at_the_end(5)), other = curve(0, 1, 101, 0, step_at_the_end(7));
  const auto found = decoder_variance(own, other);
  EXPECT_LT(found[50], 1e-4);
  EXPECT_NEAR(found[100], 2, 0.05);
}

/// A double well with a barrier of 5 kT and minima 1 kT apart.
double double_well(double x) {
  const double u = (x - 0.5) / 0.3, f = 5 * (1 - u * u) * (1 - u * u);
  return u < 0 ? f : 0.8 * f + 1;
}

TEST(DecoderVarianceOfCurves, IntervalsHoldTheTruth) {
  // Decoders that misplace conformations by a smooth random shift: F is off by its slope times that.
  Philox random(2);
  const double error = 0.05;
  const auto found_by_a_decoder = [&] {
    const double a = 0.03 * random.normal(), b = 0.03 * random.normal(), c = error * random.normal();
    return curve(0.1, 0.9, 81, error, [&](double x) {
      return double_well(x + a * std::cos(6 * x) + b * std::sin(6 * x)) + c * std::cos(30 * x);
    });
  };
  const auto truth = curve(0.1, 0.9, 81, 0, double_well);
  int within = 0, alone = 0, all = 0;
  for (int pair = 0; pair < 200; ++pair) {
    const auto own = found_by_a_decoder();
    const auto variance = decoder_variance(own, found_by_a_decoder());
    for (std::size_t k = 0; k < variance.size(); ++k, ++all) {
      const double off = std::abs(own.energy[k] - truth.energy[k]);
      alone += off <= 1.96 * error, within += off <= 1.96 * std::hypot(error, std::sqrt(variance[k]));
    }
  }
  // One pair of decoders knows their spread by one degree of freedom, so not 95 % everywhere.
  EXPECT_GT(within, 0.85 * all);
  EXPECT_LT(alone, 0.5 * all);
}

TEST(DecoderVarianceOfCurves, EndsThatTheOtherDoesNotReachHaveTheLastVarianceWithin) {
  const auto own = curve(0, 1, 101, 0, [](double) { return 0.0; }),
             other = curve(0.1, 0.8, 71, 0, [](double x) { return x; });
  const auto found = decoder_variance(own, other);
  ASSERT_EQ(found.size(), 101u);
  EXPECT_EQ(found[0], found[10]);
  EXPECT_EQ(found[100], found[80]);
  EXPECT_GT(found[80], 0);
}

TEST(DecoderVarianceOfCurves, NothingOfCurvesThatHardlyMeet) {
  const auto flat = [](double) { return 0.0; };
  const auto own = curve(0, 1, 101, 0, flat);
  EXPECT_TRUE(decoder_variance(own, curve(0.6, 2, 101, 0, flat)).empty());
  EXPECT_TRUE(decoder_variance(own, curve(5, 6, 101, 0, flat)).empty());
  EXPECT_FALSE(decoder_variance(own, curve(0.4, 2, 101, 0, flat)).empty());
}

TEST(Widened, AddsInQuadrature) {
  const auto wide = widened({5, 3, 5 - 3 * 1.96, 5 + 8 * 1.96}, 16);
  EXPECT_DOUBLE_EQ(wide.value, 5);
  EXPECT_DOUBLE_EQ(wide.error, 5);
  EXPECT_NEAR(wide.low, 5 - 5 * 1.96, kRounding);
  EXPECT_NEAR(wide.high, 5 + std::sqrt(80.0) * 1.96, kRounding);
  const auto same = widened({5, 3, 4, 9}, 0);
  EXPECT_EQ(same.low, 4);
  EXPECT_EQ(same.high, 9);
}

}  // namespace cryoscape::landscape
