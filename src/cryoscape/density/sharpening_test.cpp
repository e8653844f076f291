#include "cryoscape/density/sharpening.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/density/fsc.hpp"
#include "cryoscape/optics/fft3.hpp"
#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

TEST(FitGuinier, FindsTheDecay) {
  constexpr double kExtent = 100, kB = 150;  // Å, Å²
  std::vector<double> amplitudes;
  for (int s = 0; s <= 50; ++s) amplitudes.push_back(7 * std::exp(-kB / 4 * std::pow(s / kExtent, 2)));
  const auto fit = fit_guinier(amplitudes, kExtent, 3);
  EXPECT_NEAR(fit.b_factor(), -kB, 1e-9);
  EXPECT_NEAR(fit.intercept, std::log(7), 1e-9);
  EXPECT_NEAR(fit.resolution_squared[fit.first], 0.01, 1e-12);
  // A map that ends before 10 Å has no such part.
  EXPECT_EQ(fit_guinier(amplitudes, kExtent, 12).slope, 0);
  EXPECT_EQ(fit_guinier(amplitudes, kExtent, 0).slope, 0);
}

TEST(ApplyBFactor, MultipliesAmplitudesAndCutsOff) {
  constexpr int kBox = 24;
  constexpr double kPixel = 1.5, kB = -80, kResolution = 4;
  Philox random(1);
  std::vector<float> map(kBox * kBox * kBox);
  for (auto& v : map) v = static_cast<float>(random.normal());
  std::vector<std::complex<float>> before(optics::half_size3(kBox)), after(before);
  optics::rfft3(kBox, map.data(), before.data());
  apply_b_factor(kBox, kPixel, kB, kResolution, map);
  optics::rfft3(kBox, map.data(), after.data());
  // On the axis: shell s has frequency s/36 Å; the cut is at shell 9, its edge ends at 11.
  for (int s = 0; s <= 9; ++s)
    EXPECT_NEAR(std::abs(after[s]) / std::abs(before[s]), std::exp(20 * s * s / 1296.0), 1e-3) << s;
  EXPECT_NEAR(std::abs(after[11]), 0, 1e-3);
  EXPECT_NEAR(std::abs(after[12]), 0, 1e-3);
}
