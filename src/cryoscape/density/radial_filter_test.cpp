#include "cryoscape/density/radial_filter.hpp"

#include <gtest/gtest.h>

#include "cryoscape/density/fsc.hpp"
#include "cryoscape/optics/fft3.hpp"
#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

TEST(ScaleShells, MultipliesEachAndKeepsCorrelations) {
  constexpr int kBox = 16;
  Philox random(1);
  std::vector<float> a(kBox * kBox * kBox), b(a);
  for (std::size_t i = 0; i < a.size(); ++i)
    a[i] = static_cast<float>(random.normal()), b[i] = a[i] + static_cast<float>(random.normal());
  std::vector<double> gains;
  for (int s = 0; s <= kBox / 2; ++s) gains.push_back(0.5 + s % 3);
  std::vector<std::complex<float>> before(optics::half_size3(kBox)), after(before);
  optics::rfft3(kBox, a.data(), before.data());
  const auto fsc = map_correlation(kBox, a, b);
  scale_shells(kBox, gains, a);
  optics::rfft3(kBox, a.data(), after.data());
  const auto amplitudes = shell_amplitudes(kBox, before), scaled = shell_amplitudes(kBox, after);
  const auto same = map_correlation(kBox, a, b);
  for (int s = 0; s <= kBox / 2; ++s) {
    EXPECT_NEAR(scaled[s] / amplitudes[s], gains[s], 1e-5);
    EXPECT_NEAR(same[s], fsc[s], 1e-5);
  }
}
