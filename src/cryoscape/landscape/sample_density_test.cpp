#include "cryoscape/landscape/sample_density.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/util/random.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::landscape {
namespace {

/// −ln of 0.8 N(−2, 0.5²) + 0.2 N(1, 0.4²).
double double_well(double x) {
  const auto gaussian = [&](double m, double s) { return std::exp(-0.5 * std::pow((x - m) / s, 2)) / s; };
  return -std::log(0.8 * gaussian(-2, 0.5) + 0.2 * gaussian(1, 0.4));
}

std::vector<double> double_well_samples(std::size_t count) {
  Philox random(6);
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(random.uniform() < 0.8 ? -2 + 0.5 * random.normal() : 1 + 0.4 * random.normal());
  return out;
}

TEST(SmoothDensity, RecoversADoubleWell) {
  const std::vector<std::vector<double>> values{double_well_samples(20000)};
  const std::vector axes{grid_axis(values[0], false, 200)};
  const auto f = free_energy(smooth_density(axes, values), values[0].size());
  double square = 0, lowest = 1e9;
  int count = 0;
  for (std::size_t i = 0; i < f.size(); ++i) lowest = std::min(lowest, double_well(axes[0].at(i)));
  for (std::size_t i = 0; i < f.size(); ++i) {
    const double truth = double_well(axes[0].at(i)) - lowest;
    if (truth > 4) continue;
    ASSERT_TRUE(f[i]);
    square += std::pow(*f[i] - truth, 2), ++count;
  }
  // Where p > 2 % of its maximum, a kernel sees at least 100 of 20,000 samples: 0.1 kT of noise.
  EXPECT_LT(std::sqrt(square / count), 0.1);
}

TEST(SmoothDensity, IsFlatToTheEndsOfAClosedVariable) {
  Philox random(7);
  std::vector<std::vector<double>> values(1);
  for (int i = 0; i < 20000; ++i) values[0].push_back(random.uniform());
  const std::vector axes{grid_axis(values[0], true, 100)};
  const auto density = smooth_density(axes, values);
  for (const double p : density) EXPECT_NEAR(p, 0.01, 0.002);
}

TEST(SmoothDensity, OfTwoVariablesHasBothMarginals) {
  Philox random(8);
  std::vector<std::vector<double>> values(2);
  for (int i = 0; i < 20000; ++i) {
    const double x = random.normal();
    values[0].push_back(x), values[1].push_back(0.5 * x + random.normal());
  }
  const std::vector axes{grid_axis(values[0], false, 60), grid_axis(values[1], false, 50)};
  const auto density = smooth_density(axes, values);
  ASSERT_EQ(density.size(), 3000u);
  double sum = 0, xx = 0, xy = 0, yy = 0;
  for (std::size_t i = 0; i < 60; ++i)
    for (std::size_t j = 0; j < 50; ++j) {
      const double p = density[50 * i + j], x = axes[0].at(i), y = axes[1].at(j);
      sum += p, xx += p * x * x, xy += p * x * y, yy += p * y * y;
    }
  EXPECT_NEAR(sum, 1, 1e-9);
  // Moments of 20,000 samples to 1 %, and a kernel's own variance, below 10 %.
  EXPECT_NEAR(xx, 1, 0.1);
  EXPECT_NEAR(xy, 0.5, 0.05);
  EXPECT_NEAR(yy, 1.25, 0.12);
}

TEST(Histogram, CountsWhatLiesInside) {
  const std::vector axes{GridAxis{0.25, 0.5, 2, true}};
  EXPECT_EQ(histogram(axes, {{0, 0.49, 0.51, 1}}), (std::vector{0.5, 0.5}));
  const std::vector open{GridAxis{0.25, 0.5, 2, false}};
  EXPECT_EQ(histogram(open, {{-0.1, 0.1, 0.6, 1.1}}), (std::vector{0.25, 0.25}));
}

TEST(GridAxis, NeedsValuesThatVary) {
  EXPECT_NE(error_of([] { grid_axis({1, 1, 1}, false, 10); }).find("same value"), std::string::npos);
}

TEST(FreeEnergy, IsAbsentWhereNoSampleIsExpected) {
  const auto f = free_energy({0.5, 0.4999, 1e-9}, 1000);
  EXPECT_EQ(f[0], 0.0);
  EXPECT_NEAR(*f[1], -std::log(0.4999 / 0.5), 1e-12);
  EXPECT_FALSE(f[2]);
}

}  // namespace
}  // namespace cryoscape::landscape
