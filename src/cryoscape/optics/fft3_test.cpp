#include "cryoscape/optics/fft3.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::optics;
using Complex = std::complex<float>;

namespace {

constexpr int kBox = 6;

std::vector<float> noise(std::size_t count) {
  Philox random(1);
  std::vector<float> values(count);
  for (auto& v : values) v = static_cast<float>(random.normal());
  return values;
}

std::complex<double> wave(double turns) { return std::polar(1.0, 2 * std::numbers::pi * turns); }

}  // namespace

TEST(Fft3, IsTheSumOverVoxels) {
  const auto volume = noise(kBox * kBox * kBox);
  std::vector<Complex> spectrum(half_size3(kBox));
  rfft3(kBox, volume.data(), spectrum.data());
  std::size_t at = 0;
  for (int kz = 0; kz < kBox; ++kz)
    for (int ky = 0; ky < kBox; ++ky)
      for (int kx = 0; kx <= kBox / 2; ++kx, ++at) {
        std::complex<double> sum;
        for (int z = 0; z < kBox; ++z)
          for (int y = 0; y < kBox; ++y)
            for (int x = 0; x < kBox; ++x)
              sum +=
                  double{volume[(z * kBox + y) * kBox + x]} * wave(-double(kx * x + ky * y + kz * z) / kBox);
        EXPECT_NEAR(std::abs(sum - std::complex<double>(spectrum[at])), 0, 2e-5);  // float, sums of 216
      }
  std::vector<float> back(volume.size());
  irfft3(kBox, spectrum.data(), back.data());
  for (std::size_t i = 0; i < back.size(); ++i) EXPECT_NEAR(back[i], volume[i], 1e-5);
}

TEST(Fft3, PlanesThenColumnsAreTheInverse) {
  // The spectrum of a real cube, halved along z: what planes and columns give is the cube times D³.
  const auto volume = noise(kBox * kBox * kBox);
  std::vector<Complex> planes;
  for (int kz = 0; kz <= kBox / 2; ++kz)
    for (int ky = 0; ky < kBox; ++ky)
      for (int kx = 0; kx < kBox; ++kx) {
        std::complex<double> sum;
        for (int z = 0; z < kBox; ++z)
          for (int y = 0; y < kBox; ++y)
            for (int x = 0; x < kBox; ++x)
              sum +=
                  double{volume[(z * kBox + y) * kBox + x]} * wave(-double(kx * x + ky * y + kz * z) / kBox);
        planes.emplace_back(sum);
      }
  const std::size_t area = kBox * kBox;
  for (int kz = 0; kz <= kBox / 2; ++kz) inverse_plane(kBox, planes.data() + kz * area);
  std::vector<float> back(volume.size());
  inverse_columns(kBox, area, planes.data(), back.data());
  for (std::size_t i = 0; i < back.size(); ++i) EXPECT_NEAR(back[i] / 216, volume[i], 1e-5);
}
