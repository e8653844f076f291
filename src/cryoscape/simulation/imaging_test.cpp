#include "cryoscape/simulation/imaging.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::simulation;

namespace {

constexpr int kBox = 32;
constexpr float kPixel = 1.7f;

projection::ProjectionSpec spec() {
  projection::ProjectionSpec s;
  s.box = kBox, s.pixel_size = kPixel, s.sigma = 2;
  return s;
}

optics::OpticsGroup group() {
  optics::OpticsGroup g;
  g.pixel_size = kPixel, g.box = kBox;
  return g;
}

optics::CtfParameters ctf() {
  optics::CtfParameters c;
  c.defocus_u = 15000, c.defocus_v = 14000, c.defocus_angle = 0.7f;
  return c;
}

struct Molecule {
  std::vector<float> amplitudes, coordinates, tangent;
};

Molecule molecule() {
  Molecule m;
  Philox random(8);
  for (int n = 0; n < 40; ++n) {
    m.amplitudes.push_back(static_cast<float>(30 + 60 * random.uniform()));
    for (int k = 0; k < 3; ++k) m.coordinates.push_back(static_cast<float>(6 * random.normal()));
    for (int k = 0; k < 3; ++k) m.tangent.push_back(static_cast<float>(8 * random.normal()));
  }
  return m;
}

const Pose kPose{0.4, 1.1, -2.0, 1.3, -0.6};

}  // namespace

TEST(Imager, WithoutLossesIsTheProjectionTimesTheCtf) {
  // A weak CTF spread: at small defocus nothing reaches the border of the wide box, so a still wider one
  // changes nothing.
  const auto m = molecule();
  auto near = ctf();
  near.defocus_u = near.defocus_v = 3000;
  Imager::Scratch scratch;
  std::vector<float> image(kBox * kBox), larger(4 * kBox * kBox), middle(kBox * kBox);
  Imager(spec(), group()).draw(m.amplitudes, m.coordinates, kPose, near, scratch, image);
  auto wide = spec();
  wide.box = 2 * kBox;
  Imager(wide, group()).draw(m.amplitudes, m.coordinates, kPose, near, scratch, larger);
  cut_middle(kBox, larger, middle);
  double difference = 0, total = 0;
  for (std::size_t i = 0; i < image.size(); ++i) {
    difference += std::pow(image[i] - middle[i], 2);
    total += std::pow(image[i], 2);
  }
  EXPECT_LT(std::sqrt(difference / total), 0.01);
}

TEST(Imager, DerivativeIsTheLimitOfDifferences) {
  const auto m = molecule();
  const Imager imager(spec(), group());
  Imager::Scratch scratch;
  std::vector<float> derivative(kBox * kBox), low(kBox * kBox), high(kBox * kBox);
  imager.differentiate(m.amplitudes, m.coordinates, m.tangent, kPose, ctf(), scratch, derivative);
  constexpr float kStep = 2e-3f;
  auto shifted = m.coordinates;
  for (std::size_t i = 0; i < shifted.size(); ++i) shifted[i] = m.coordinates[i] - kStep * m.tangent[i];
  imager.draw(m.amplitudes, shifted, kPose, ctf(), scratch, low);
  for (std::size_t i = 0; i < shifted.size(); ++i) shifted[i] = m.coordinates[i] + kStep * m.tangent[i];
  imager.draw(m.amplitudes, shifted, kPose, ctf(), scratch, high);
  double difference = 0, total = 0;
  for (std::size_t i = 0; i < low.size(); ++i) {
    difference += std::pow(derivative[i] - (high[i] - low[i]) / (2 * kStep), 2);
    total += std::pow(derivative[i], 2);
  }
  EXPECT_LT(std::sqrt(difference / total), 5e-3);
}

TEST(Imager, NoMotionGivesNoDerivative) {
  auto m = molecule();
  std::fill(m.tangent.begin(), m.tangent.end(), 0.0f);
  Imager::Scratch scratch;
  std::vector<float> derivative(kBox * kBox, 1);
  Imager(spec(), group())
      .differentiate(m.amplitudes, m.coordinates, m.tangent, kPose, ctf(), scratch, derivative);
  for (const float v : derivative) EXPECT_EQ(v, 0);
}

class Noise : public testing::TestWithParam<bool> {};

TEST_P(Noise, HasUnitVarianceAndTheStatedPower) {
  const NoiseModel noise(GetParam(), kBox, kPixel);
  constexpr int kImages = 600;
  const std::size_t half = optics::half_size(kBox);
  Imager::Scratch scratch;
  std::vector<float> image(kBox * kBox);
  std::vector<std::complex<float>> spectrum(half);
  std::vector<double> shell(2 * kBox), expected(2 * kBox), count(2 * kBox);
  const auto shells = optics::shell_table(kBox);
  double square = 0;
  for (int i = 0; i < kImages; ++i) {
    noise.draw(7, static_cast<std::uint64_t>(i), scratch, image);
    for (const float v : image) square += double{v} * v / (kImages * kBox * kBox);
    optics::rfft2(kBox, image.data(), spectrum.data());
    for (std::size_t k = 0; k < half; ++k) {
      shell[shells[k]] += std::norm(spectrum[k]) / kImages;
      expected[shells[k]] += noise.power()[k] / kImages;
      count[shells[k]] += 1.0 / kImages;
    }
  }
  EXPECT_NEAR(square, 1, 0.02);
  for (int s = 0; s <= kBox / 2; ++s) {
    // The columns kx = 0 and D/2 hold every coefficient twice: half as many independent values at worst.
    const double error = 5 * std::sqrt(2.0 / (count[s] * kImages));
    EXPECT_NEAR(shell[s] / expected[s], 1, error) << "shell " << s;
  }
}

TEST_P(Noise, PowerSumsToTheVariance) {
  const NoiseModel noise(GetParam(), kBox, kPixel);
  double sum = 0;
  for (int row = 0; row < kBox; ++row)
    for (int kx = 0; kx <= kBox / 2; ++kx)
      sum += optics::multiplicity(kx, kBox) * noise.power()[row * (kBox / 2 + 1) + kx];
  EXPECT_NEAR(sum / std::pow(kBox, 4), 1, 1e-4);
}

TEST_P(Noise, InformationIsTheSumOverCoefficients) {
  const NoiseModel noise(GetParam(), kBox, kPixel);
  Imager::Scratch scratch;
  std::vector<float> image(kBox * kBox);
  noise.draw(1, 1, scratch, image);
  std::vector<std::complex<float>> spectrum(optics::half_size(kBox));
  optics::rfft2(kBox, image.data(), spectrum.data());
  double sum = 0;
  for (int row = 0; row < kBox; ++row)
    for (int kx = 0; kx <= kBox / 2; ++kx) {
      const auto i = static_cast<std::size_t>(row) * (kBox / 2 + 1) + kx;
      sum += optics::multiplicity(kx, kBox) * std::norm(spectrum[i]) / noise.power()[i];
    }
  EXPECT_NEAR(noise.information(image, scratch), sum, 1e-4 * sum);
}

INSTANTIATE_TEST_SUITE_P(WhiteAndColoured, Noise, testing::Bool());

TEST(Noise, ColouredIsStrongestAtLowResolution) {
  const NoiseModel noise(true, kBox, kPixel);
  EXPECT_GT(noise.power()[1], 3 * noise.power()[kBox / 2]);
}

TEST(Variance, IsThatAboutTheMean) {
  EXPECT_NEAR(variance(std::vector<float>{1, 2, 3, 6}), 3.5, 1e-12);
  EXPECT_EQ(variance(std::vector<float>{4, 4}), 0);
}
