#include "cryoscape/density/fsc.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/density/mask.hpp"
#include "cryoscape/optics/fft3.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

namespace {

constexpr int kBox = 32;

std::vector<float> noise(std::uint64_t seed, int box = kBox) {
  Philox random(seed);
  std::vector<float> map(static_cast<std::size_t>(box) * box * box);
  for (auto& v : map) v = static_cast<float>(random.normal());
  return map;
}

std::vector<std::complex<float>> spectrum(const std::vector<float>& map) {
  std::vector<std::complex<float>> out(optics::half_size3(kBox));
  optics::rfft3(kBox, map.data(), out.data());
  return out;
}

/// Independent pairs of coefficients of a shell.
double pairs(int shell) { return shell == 0 ? 1 : 2 * std::numbers::pi * shell * shell; }

}  // namespace

TEST(ShellCorrelation, OfAMapWithItself) {
  const auto map = noise(1);
  auto opposite = map;
  for (auto& v : opposite) v *= -2;
  for (const double c : map_correlation(kBox, map, map)) EXPECT_NEAR(c, 1, 1e-6);  // of float amplitudes
  for (const double c : map_correlation(kBox, map, opposite)) EXPECT_NEAR(c, -1, 1e-6);
  const std::vector<float> nothing(map.size());
  for (const double c : map_correlation(kBox, map, nothing)) EXPECT_EQ(c, 0);
}

TEST(ShellCorrelation, OfSignalAndNoiseIsTheSharedFraction) {
  // a = s + n₁, b = s + n₂ of equal variances: FSC = 1/2.
  const auto s = noise(1);
  auto a = noise(2), b = noise(3);
  for (std::size_t i = 0; i < s.size(); ++i) a[i] += s[i], b[i] += s[i];
  const auto fsc = map_correlation(kBox, a, b);
  for (int shell = 2; shell <= kBox / 2; ++shell)
    EXPECT_NEAR(fsc[shell], 0.5, 4 / std::sqrt(2 * pairs(shell))) << shell;
}

TEST(ShellCorrelation, DoesNotDependOnThreads) {
  const auto a = noise(1), b = noise(2);
  const int before = thread_count();
  set_thread_count(1);
  const auto one = map_correlation(kBox, a, b);
  set_thread_count(3);
  EXPECT_EQ(map_correlation(kBox, a, b), one);
  set_thread_count(before);
}

TEST(RandomisePhases, KeepsAmplitudesAndARealMap) {
  const auto before = spectrum(noise(4));
  auto after = before;
  randomise_phases(kBox, 5, 9, after);
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(std::abs(after[i]), std::abs(before[i]), 1e-3);
  // Only the transform of a real map survives the way to one and back.
  auto copy = after;
  std::vector<float> map(static_cast<std::size_t>(kBox) * kBox * kBox);
  optics::irfft3(kBox, copy.data(), map.data());
  const auto again = spectrum(map);
  for (std::size_t i = 0; i < again.size(); ++i) ASSERT_NEAR(std::abs(again[i] - after[i]), 0, 1e-2) << i;
  const auto fsc = shell_correlation(kBox, before, after);
  for (int s = 0; s < 5; ++s) EXPECT_NEAR(fsc[s], 1, 1e-6);
  for (int s = 5; s <= kBox / 2; ++s) EXPECT_LT(std::abs(fsc[s]), 4 / std::sqrt(2 * pairs(s)));
}

TEST(MeasureFsc, OfNoiseIsZeroUnderAnyMask) {
  const auto a = noise(5), b = noise(6);
  const auto mask = soft_sphere(kBox, 1, 12, 3);
  const auto curves = measure_fsc(kBox, a, b, mask);
  EXPECT_EQ(curves.randomised_from, 1);
  double square = 0, share = 0;
  for (const float m : mask) square += double{m} * m, share += double{m} * m * m * m;
  // A mask leaves Σm⁴/(Σm²)² of one independent voxel each.
  double fourth = 0;
  for (const float m : mask) fourth += std::pow(double{m}, 4);
  const double independent = square * square / fourth / mask.size();
  for (int s = 2; s <= kBox / 2; ++s) {
    EXPECT_LT(std::abs(curves.unmasked[s]), 4 / std::sqrt(2 * pairs(s))) << s;
    EXPECT_LT(std::abs(curves.masked[s]), 4 / std::sqrt(2 * pairs(s) * independent)) << s;
    EXPECT_LT(std::abs(curves.corrected[s]), 6 / std::sqrt(2 * pairs(s) * independent)) << s;
  }
}

TEST(MeasureFsc, TakesTheMasksCorrelationOff) {
  // A signal in the first shells only, and one sharp mask on both maps: beyond, what correlates is the mask.
  auto s = spectrum(noise(7));
  auto flat = s;
  for (auto& v : flat) v = 0;
  const auto all = shell_amplitudes(kBox, s);
  std::size_t at = 0;
  for (int z = 0; z < kBox; ++z)
    for (int y = 0; y < kBox; ++y)
      for (int x = 0; x <= kBox / 2; ++x, ++at) {
        const int kz = z < kBox / 2 ? z : z - kBox, ky = y < kBox / 2 ? y : y - kBox;
        if (std::sqrt(double(x * x + ky * ky + kz * kz)) < 4) flat[at] = 200.0f * s[at];
      }
  std::vector<float> signal(static_cast<std::size_t>(kBox) * kBox * kBox);
  optics::irfft3(kBox, flat.data(), signal.data());
  auto a = noise(8), b = noise(9);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += signal[i], b[i] += signal[i];
  auto mask = soft_sphere(kBox, 1, 14, 0.1);
  const auto curves = measure_fsc(kBox, a, b, mask);
  EXPECT_LE(curves.randomised_from, 5);
  double masked = 0, corrected = 0;
  for (int shell = 8; shell <= 12; ++shell)
    masked += curves.masked[shell] / 5, corrected += curves.corrected[shell] / 5;
  EXPECT_GT(masked, 0.3);
  EXPECT_LT(std::abs(corrected), 0.25 * masked);
}

TEST(Crossing, IsInterpolated) {
  EXPECT_NEAR(crossing(std::vector<double>{0, 1, 1, 0.5, 0}, 0.75), 2.5, 1e-12);
  EXPECT_EQ(crossing(std::vector<double>{1, 1, 1}, 0.5), 2);
  EXPECT_EQ(crossing(std::vector<double>{1, 0.1, 1}, 0.5), 0);
}
