#include "cryoscape/density/local_filter.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/density/radial_filter.hpp"
#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

namespace {

constexpr int kBox = 48;
constexpr double kPixel = 2, kWindow = 10;

std::vector<float> noise(std::uint64_t seed, double amplitude) {
  Philox random(seed);
  std::vector<float> map(static_cast<std::size_t>(kBox) * kBox * kBox);
  for (auto& v : map) v = static_cast<float>(amplitude * random.normal());
  return map;
}

double power(const std::vector<float>& map) {
  double sum = 0;
  for (const float v : map) sum += double{v} * v;
  return sum;
}

}  // namespace

TEST(FilterLocally, LeavesAMapThatItsHalvesAgreeOn) {
  const auto map = noise(1, 1);
  const auto filtered = filter_locally(kBox, kPixel, map, map, map, kWindow);
  double error = 0;
  for (std::size_t i = 0; i < map.size(); ++i)
    error = std::max(error, std::abs(double{map[i]} - filtered.map[i]));
  EXPECT_LT(error, 1e-4);
  for (const float r : filtered.resolution) ASSERT_NEAR(r, 2 * kPixel, 0.2);
}

TEST(FilterLocally, RemovesNoise) {
  const auto a = noise(1, 1), b = noise(2, 1);
  auto mean = a;
  for (std::size_t i = 0; i < mean.size(); ++i) mean[i] = 0.5f * (a[i] + b[i]);
  const auto filtered = filter_locally(kBox, kPixel, a, b, mean, kWindow);
  EXPECT_LT(power(filtered.map), 0.01 * power(mean));
}

TEST(FilterLocally, TellsBlurredPlacesFromSharpOnes) {
  // White noise as signal; the half-maps' own noise fills all shells at x < 0 and is a hundredth at x > 0;
  // the signal is blurred to about 12 Å at x < 0.
  const auto sharp = noise(3, 1);
  auto blurred = sharp;
  apply_radial(
      kBox, [](double shell) { return shell < 8 ? 1.0 : 0.0; }, blurred);
  auto a = noise(4, 0.3), b = noise(5, 0.3), mean = a;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool left = i % kBox < kBox / 2;
    const float signal = left ? blurred[i] : sharp[i];
    a[i] = signal + (left ? 1.0f : 0.1f) * a[i];
    b[i] = signal + (left ? 1.0f : 0.1f) * b[i];
    mean[i] = 0.5f * (a[i] + b[i]);
  }
  const auto filtered = filter_locally(kBox, kPixel, a, b, mean, kWindow);
  std::vector<float> left(a.size()), right(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = static_cast<int>(i % kBox);
    left[i] = x > 6 && x<18, right[i] = x> 30 && x < 42;
  }
  const auto l = resolution_range(filtered.resolution, left),
             r = resolution_range(filtered.resolution, right);
  EXPECT_NEAR(l[1], kBox * kPixel / 8, 2.5);  // bands are two shells wide
  EXPECT_NEAR(r[1], 2 * kPixel, 0.5);
  EXPECT_LE(l[0], l[1]);
  EXPECT_LE(l[1], l[2]);
}
