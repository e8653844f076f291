#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cryoscape/optics/ctf.hpp"
#include "cryoscape/optics/fft.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::optics;
using Complex = std::complex<float>;

namespace {

std::vector<float> noise(int box, std::uint64_t seed) {
  Philox random(seed);
  std::vector<float> image(static_cast<std::size_t>(box) * box);
  for (auto& x : image) x = static_cast<float>(random.normal());
  return image;
}

double variance(const std::vector<float>& x) {
  double s = 0, q = 0;
  for (double v : x) s += v, q += v * v;
  return q / x.size() - s / x.size() * (s / x.size());
}

}  // namespace

TEST(Rfft2, AgreesWithTheDefinition) {
  const int d = 6;
  const auto image = noise(d, 1);
  std::vector<Complex> fast(half_size(d));
  rfft2(d, image.data(), fast.data());
  for (int row = 0; row < d; ++row)
    for (int kx = 0; kx <= d / 2; ++kx) {
      std::complex<double> sum = 0;
      for (int y = 0; y < d; ++y)
        for (int x = 0; x < d; ++x)
          sum += double(image[y * d + x]) *
                 std::polar(1.0, -2 * std::numbers::pi * (kx * x + row_frequency(row, d) * y) / d);
      EXPECT_NEAR(std::abs(sum - std::complex<double>(fast[row * (d / 2 + 1) + kx])), 0, 1e-5);
    }
}

TEST(Rfft2, InverseRestoresAndParsevalHolds) {
  for (int d : {8, 30, 64}) {
    const auto image = noise(d, 2);
    std::vector<Complex> spectrum(half_size(d));
    rfft2(d, image.data(), spectrum.data());
    double power = 0, energy = 0;
    for (std::size_t f = 0; f < spectrum.size(); ++f)
      power +=
          multiplicity(static_cast<int>(f % (d / 2 + 1)), d) * static_cast<double>(std::norm(spectrum[f]));
    for (double x : image) energy += x * x;
    EXPECT_NEAR(power / (d * d) / energy, 1, 1e-6);
    std::vector<float> back(image.size());
    irfft2(d, spectrum.data(), back.data());
    for (std::size_t i = 0; i < image.size(); ++i) EXPECT_NEAR(back[i], image[i], 1e-5);
  }
}

TEST(PaddedRfft2, IsThatOfTheImageInTheCornerOfALargerBox) {
  const int d = 12, width = 2 * d;
  const auto image = noise(d, 3);
  std::vector<float> padded(static_cast<std::size_t>(width) * width);
  for (int y = 0; y < d; ++y) std::copy_n(image.begin() + y * d, d, padded.begin() + y * width);
  std::vector<Complex> expected(half_size(width)), found(half_size(width));
  rfft2(width, padded.data(), expected.data());
  padded_rfft2(d, image.data(), found.data());
  for (std::size_t f = 0; f < expected.size(); ++f) EXPECT_NEAR(std::abs(found[f] - expected[f]), 0, 1e-4);
  // Back from the spectrum of a larger image: its corner.
  const auto large = noise(width, 4);
  std::vector<float> corner(static_cast<std::size_t>(d) * d);
  rfft2(width, large.data(), expected.data());
  padded_irfft2(d, expected.data(), corner.data());
  for (int y = 0; y < d; ++y)
    for (int x = 0; x < d; ++x) EXPECT_NEAR(corner[y * d + x], large[y * width + x], 1e-5);
}

TEST(FourierCrop, KeepsTheVarianceOfWhiteNoise) {
  const int from = 256, to = 128;
  const auto image = noise(from, 3);
  std::vector<Complex> big(half_size(from)), small(half_size(to));
  rfft2(from, image.data(), big.data());
  fourier_crop(from, big.data(), to, small.data());
  std::vector<float> cropped(to * to);
  irfft2(to, small.data(), cropped.data());
  EXPECT_NEAR(variance(cropped), 1, 5 * std::sqrt(2.0) / to + 2.0 / to);
}

TEST(FourierCrop, PaddingAndCroppingBackChangesNothingBelowNyquist) {
  const int d = 16, big = 40;
  const auto image = noise(d, 4);
  std::vector<Complex> a(half_size(d)), b(half_size(big)), c(half_size(d));
  rfft2(d, image.data(), a.data());
  fourier_crop(d, a.data(), big, b.data());
  fourier_crop(big, b.data(), d, c.data());
  for (int row = 0; row < d; ++row)
    for (int kx = 0; kx <= d / 2; ++kx) {
      const auto f = static_cast<std::size_t>(row) * (d / 2 + 1) + kx;
      const bool nyquist = row == d / 2 || kx == d / 2;
      EXPECT_NEAR(std::abs(c[f] - (nyquist ? Complex(0) : a[f])), 0, 1e-4);
    }
}

TEST(GoodFftSize, IsEvenAndSmooth) {
  EXPECT_EQ(good_fft_size(2), 2);
  EXPECT_EQ(good_fft_size(127), 128);
  EXPECT_EQ(good_fft_size(129), 140);
  EXPECT_EQ(good_fft_size(121), 126);
}

TEST(ElectronWavelength, KnownValues) {
  EXPECT_NEAR(electron_wavelength(300), 0.019687, 2e-6);
  EXPECT_NEAR(electron_wavelength(200), 0.025079, 2e-6);
}

TEST(EvaluateCtf, AgreesWithTheFormulaAlongTheAxes) {
  OpticsGroup group;
  group.voltage_kv = 300, group.cs_mm = 2.7, group.amplitude_contrast = 0.07;
  CtfParameters p;
  p.defocus_u = 15000, p.defocus_v = 12000, p.phase_shift = 0.4f, p.b_factor = 50, p.scale = 0.9f;
  const int d = 64;
  const double a = 1.7, lambda = electron_wavelength(300);
  std::vector<float> ctf(half_size(d));
  evaluate_ctf(group, p, d, a, ctf);
  for (int k : {1, 5, 20}) {
    const double f = k / (d * a);
    for (bool along_u : {true, false}) {
      const double defocus = along_u ? 15000 : 12000;
      const double chi = std::numbers::pi * lambda * defocus * f * f -
                         std::numbers::pi / 2 * 2.7e7 * std::pow(lambda, 3) * std::pow(f, 4) + 0.4;
      const double expected = 0.9 * std::sin(chi + std::asin(0.07)) * std::exp(-50 * f * f / 4);
      EXPECT_NEAR(ctf[along_u ? k : static_cast<std::size_t>(k) * (d / 2 + 1)], expected, 1e-5);
    }
  }
}

TEST(EvaluateCtf, AstigmatismTurnsWithItsAngle) {
  OpticsGroup group;
  CtfParameters p, turned;
  p.defocus_u = 15000, p.defocus_v = 12000;
  turned = p;
  turned.defocus_angle = static_cast<float>(std::numbers::pi / 2);
  const int d = 32;
  std::vector<float> a(half_size(d)), b(half_size(d));
  evaluate_ctf(group, p, d, 2, a);
  evaluate_ctf(group, turned, d, 2, b);
  for (int k = 1; k < d / 2; ++k) EXPECT_NEAR(a[k], b[static_cast<std::size_t>(k) * (d / 2 + 1)], 1e-5);
}

TEST(EvaluateCtf, PositiveAtLowFrequencyAndFlippedIsAbsolute) {
  OpticsGroup group;
  CtfParameters p;
  p.defocus_u = p.defocus_v = 20000;
  const int d = 64;
  std::vector<float> plain(half_size(d)), flipped(half_size(d));
  evaluate_ctf(group, p, d, 1.5, plain);
  EXPECT_NEAR(plain[0], 0.1, 1e-6);
  EXPECT_GT(plain[1], 0);
  group.phase_flipped = true;
  evaluate_ctf(group, p, d, 1.5, flipped);
  for (std::size_t f = 0; f < plain.size(); ++f) EXPECT_FLOAT_EQ(flipped[f], std::abs(plain[f]));
}

TEST(EvaluateCtf, AgreesWithTheFormulaEverywhereWithEveryTerm) {
  OpticsGroup group;
  group.voltage_kv = 200, group.cs_mm = 1.4, group.amplitude_contrast = 0.08;
  group.magnification = {1.01, 0.004, -0.003, 0.985};
  group.even_zernike = {0.3, 2, -5, 7, 0, 0, 40};
  CtfParameters p;
  p.defocus_u = 31000, p.defocus_v = 27000, p.defocus_angle = 0.7f, p.phase_shift = 1.2f;
  p.b_factor = 30, p.scale = 1.3f;
  const int d = 90;
  const double a = 0.9, lambda = electron_wavelength(200), pi = std::numbers::pi;
  std::vector<float> ctf(half_size(d));
  evaluate_ctf(group, p, d, a, ctf);
  for (int row = 0; row < d; ++row)
    for (int kx = 0; kx <= d / 2; ++kx) {
      const double u = kx / (d * a), v = row_frequency(row, d) / (d * a);
      const double x = 1.01 * u + 0.004 * v, y = -0.003 * u + 0.985 * v, f2 = x * x + y * y;
      const double defocus = 29000 + 2000 * std::cos(2 * (std::atan2(y, x) - p.defocus_angle));
      // Z(0,0) = 1, Z(2,−2) = 2xy, Z(2,0) = 2r² − 1, Z(2,2) = x² − y², Z(4,0) = 6r⁴ − 6r² + 1
      const double even =
          0.3 + 2 * 2 * x * y - 5 * (2 * f2 - 1) + 7 * (x * x - y * y) + 40 * (6 * f2 * f2 - 6 * f2 + 1);
      const double chi =
          pi * lambda * defocus * f2 - pi / 2 * 1.4e7 * std::pow(lambda, 3) * f2 * f2 + p.phase_shift - even;
      const double expected = 1.3 * std::sin(chi + std::asin(0.08)) * std::exp(-30 * f2 / 4);
      EXPECT_NEAR(ctf[static_cast<std::size_t>(row) * (d / 2 + 1) + kx], expected, 1.3e-5);
    }
}

TEST(CtfEvaluator, BeamTiltIsWhatRelionWritesAsOddZernikeTerms) {
  OpticsGroup tilted, zernike;
  tilted.beam_tilt_x = 0.4, tilted.beam_tilt_y = -0.7;
  const double lambda = electron_wavelength(300), scale = 2.7e4 * 2 * std::numbers::pi * lambda * lambda;
  const double x = -scale * 0.4 / 3, y = scale * 0.7 / 3;
  zernike.odd_zernike = {2 * y, 2 * x, 0, y, x, 0};
  const int d = 48;
  std::vector<Complex> a(half_size(d), 1), b(half_size(d), 1);
  CtfEvaluator(tilted, d, 1.2).demodulate(a);
  CtfEvaluator(zernike, d, 1.2).demodulate(b);
  double largest = 0;
  for (std::size_t f = 0; f < a.size(); ++f) {
    EXPECT_NEAR(std::abs(a[f] - b[f]), 0, 1e-5);
    largest = std::max<double>(largest, std::abs(std::arg(a[f])));
  }
  EXPECT_GT(largest, 1);
}

TEST(CtfEvaluator, DemodulationUndoesTheOddPhases) {
  OpticsGroup group;
  group.odd_zernike = {1, -2, 30, 20, -10, 25};
  const int d = 32;
  const double a = 2;
  const auto image = noise(d, 5);
  std::vector<Complex> clean(half_size(d)), shifted(half_size(d));
  rfft2(d, image.data(), clean.data());
  for (int row = 0; row < d; ++row)
    for (int kx = 0; kx <= d / 2; ++kx) {
      const double x = kx / (d * a), y = row_frequency(row, d) / (d * a), r2 = x * x + y * y;
      // Z(1,−1) = y, Z(1,1) = x, Z(3,∓3) = 3x²y − y³, x³ − 3xy², Z(3,∓1) = (3r² − 2)·y, x
      const double phase = y - 2 * x + 30 * (3 * x * x * y - y * y * y) + 20 * (3 * r2 - 2) * y -
                           10 * (3 * r2 - 2) * x + 25 * (x * x * x - 3 * x * y * y);
      const auto f = static_cast<std::size_t>(row) * (d / 2 + 1) + kx;
      shifted[f] = clean[f] * std::polar(1.0f, static_cast<float>(phase));
    }
  CtfEvaluator(group, d, a).demodulate(shifted);
  for (std::size_t f = 0; f < clean.size(); ++f) EXPECT_NEAR(std::abs(clean[f] - shifted[f]), 0, 1e-4);
}

TEST(CtfEvaluator, NothingToDemodulateLeavesSpectraAlone) {
  const CtfEvaluator evaluator(OpticsGroup{}, 16, 1);
  EXPECT_FALSE(evaluator.has_antisymmetric_aberrations());
  std::vector<Complex> spectrum(half_size(16), Complex(1, 2));
  evaluator.demodulate(spectrum);
  for (const auto x : spectrum) EXPECT_EQ(x, Complex(1, 2));
}

TEST(Rfft2, FirstColumnsAreThoseOfTheWholeTransform) {
  const int d = 20, columns = 5;
  const auto image = noise(d, 6);
  std::vector<Complex> whole(half_size(d)), part(half_size(d));
  rfft2(d, image.data(), whole.data());
  rfft2(d, image.data(), part.data(), columns);
  for (int row = 0; row < d; ++row)
    for (int kx = 0; kx < columns; ++kx) {
      const auto f = static_cast<std::size_t>(row) * (d / 2 + 1) + kx;
      EXPECT_NEAR(std::abs(whole[f] - part[f]), 0, 1e-5);
    }
}

TEST(ApplyFilter, CosineFilterIsTheMeanOfTwoShiftedImages) {
  const int d = 16, by = 3;
  auto image = noise(d, 7);
  const auto before = image;
  std::vector<float> filter(half_size(d));
  for (int row = 0; row < d; ++row)
    for (int kx = 0; kx <= d / 2; ++kx)
      filter[static_cast<std::size_t>(row) * (d / 2 + 1) + kx] =
          static_cast<float>(std::cos(2 * std::numbers::pi * kx * by / d));
  apply_filter(d, image.data(), filter.data());
  for (int y = 0; y < d; ++y)
    for (int x = 0; x < d; ++x)
      EXPECT_NEAR(image[y * d + x], 0.5 * (before[y * d + (x + by) % d] + before[y * d + (x + d - by) % d]),
                  1e-5);
}

TEST(RadialPower, WhiteNoiseHasBoxSquared) {
  const int d = 128;
  std::vector<double> mean(shell_count(d));
  for (int i = 0; i < 20; ++i) {
    const auto image = noise(d, 10 + i);
    std::vector<Complex> spectrum(half_size(d));
    rfft2(d, image.data(), spectrum.data());
    const auto power = radial_power(d, spectrum);
    for (std::size_t s = 0; s < mean.size(); ++s) mean[s] += power[s] / 20;
  }
  for (int s = 10; s <= d / 2; ++s) EXPECT_NEAR(mean[s] / (d * d), 1, 0.15);
}
