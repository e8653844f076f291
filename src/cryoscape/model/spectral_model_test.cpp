#include "cryoscape/model/spectral_model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "cryoscape/model/test_scene.hpp"
#include "cryoscape/util/error.hpp"

using namespace cryoscape;
using namespace cryoscape::model;

namespace {

constexpr int kBox = 32, kShells = 17, kMaxShell = 14;

/// Expected sums of `images` images with prediction power p per coefficient, gain and noise power.
SpectralSums expected_sums(double gain, double noise, double p, double count) {
  return {count * (gain * gain * p + noise), count * gain * p, count * p, count};
}

std::vector<SpectralSums> planted(double images, double noise_scale, double (*gain)(int)) {
  std::vector<SpectralSums> sums(kShells);
  for (int s = 0; s < kShells; ++s) sums[s] = expected_sums(gain(s), noise_scale * (1 + s), 5.0, images * 10);
  return sums;
}

double flat_gain(int) { return 0.7; }
double falling_gain(int s) { return 2 - 0.1 * s; }

std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

}  // namespace

TEST(SpectralModel, StartsAsUnitWhiteNoiseWithUnitGain) {
  const SpectralModel spectral(kBox, kMaxShell, 2);
  double count = 0;
  for (int ky = -kBox / 2; ky < kBox / 2; ++ky)
    for (int kx = -kBox / 2; kx < kBox / 2; ++kx) {
      const int shell = static_cast<int>(std::floor(std::hypot(kx, ky) + 0.5));
      count += shell >= 1 && shell <= kMaxShell;
    }
  EXPECT_EQ(spectral.degrees_of_freedom(), count);
  for (int g = 0; g < 2; ++g) {
    EXPECT_NEAR(spectral.log_normaliser(g), -0.5 * count * std::log(2 * std::numbers::pi * kBox * kBox),
                1e-6 * count);
    for (int s = 0; s < kShells; ++s) {
      EXPECT_EQ(spectral.gain(g)[s], 1);
      EXPECT_EQ(spectral.power(g)[s], kBox * kBox);
    }
  }
}

TEST(SpectralModel, RecoversPlantedGainAndPower) {
  SpectralModel spectral(kBox, kMaxShell, 1);
  spectral.update(planted(100, 3, flat_gain), 100, 100);
  for (int s = 1; s <= kMaxShell; ++s) {
    EXPECT_NEAR(spectral.gain(0)[s], 0.7, 1e-6);
    EXPECT_NEAR(spectral.power(0)[s], 3 * (1 + s), 1e-5 * (1 + s));
  }
  // The smoothing over neighbouring shells leaves a straight line as it is, away from the ends.
  spectral.forget();
  spectral.update(planted(100, 3, falling_gain), 100, 100);
  for (int s = 3; s <= kMaxShell - 2; ++s) {
    EXPECT_NEAR(spectral.gain(0)[s], falling_gain(s), 1e-5);
    EXPECT_NEAR(spectral.power(0)[s], 3 * (1 + s), 1e-4 * (1 + s));
  }
}

TEST(SpectralModel, GainIsNeverNegative) {
  SpectralModel spectral(kBox, kMaxShell, 1);
  spectral.update(planted(10, 1, [](int) { return -0.5; }), 10, 10);
  for (int s = 1; s <= kMaxShell; ++s) {
    EXPECT_EQ(spectral.gain(0)[s], 0);
    EXPECT_NEAR(spectral.power(0)[s], 0.25 * 5 + 1 + s, 1e-4);  // all data are noise then
  }
}

TEST(SpectralModel, MeanAndShellsBeyondTheLastAreNotUsed) {
  SpectralModel a(kBox, kMaxShell, 1), b(kBox, kMaxShell, 1);
  auto sums = planted(50, 2, falling_gain);
  a.update(sums, 50, 50);
  for (const int s : {0, kMaxShell + 1, kMaxShell + 2}) sums[s] = {1e9, -1e9, 1e7, 1e3};
  b.update(sums, 50, 50);
  EXPECT_EQ(copy(a.gain(0)), copy(b.gain(0)));
  EXPECT_EQ(copy(a.power(0)), copy(b.power(0)));
  EXPECT_EQ(a.log_normaliser(0), b.log_normaliser(0));
  for (const int s : {0, kMaxShell + 1, kMaxShell + 2}) EXPECT_EQ(b.gain(0)[s], 1) << s;
}

TEST(SpectralModel, ForgetsImagesBeyondItsMemory) {
  SpectralModel spectral(kBox, kMaxShell, 1);
  const auto power = [&] { return spectral.power(0)[5] / 6.0; };
  spectral.update(planted(100, 1, flat_gain), 100, 50);
  EXPECT_NEAR(power(), 1, 1e-5);
  // 50 of the first hundred are remembered beside 10 new ones.
  spectral.update(planted(10, 7, flat_gain), 10, 50);
  EXPECT_NEAR(power(), (50 * 1 + 10 * 7) / 60.0, 1e-5);
  // Of these 60, 50.
  spectral.update(planted(10, 2, flat_gain), 10, 50);
  EXPECT_NEAR(power(), (50 * (50 * 1 + 10 * 7) / 60.0 + 10 * 2) / 60.0, 1e-5);
  for (int i = 0; i < 200; ++i) spectral.update(planted(10, 4, flat_gain), 10, 50);
  EXPECT_NEAR(power(), 4, 1e-4);
  spectral.forget();
  spectral.update(planted(1, 9, flat_gain), 1, 50);
  EXPECT_NEAR(power(), 9, 1e-4);
}

TEST(SpectralModel, UpdatesOfBatchesAddUpToOneOfAll) {
  SpectralModel parts(kBox, kMaxShell, 1), whole(kBox, kMaxShell, 1);
  auto total = planted(30, 1, flat_gain);
  const auto other = planted(20, 5, falling_gain);
  parts.update(total, 30, 1000);
  parts.update(other, 20, 1000);
  for (int s = 0; s < kShells; ++s) total[s] += other[s];
  whole.update(total, 50, 1000);
  for (int s = 1; s <= kMaxShell; ++s) {
    EXPECT_FLOAT_EQ(parts.gain(0)[s], whole.gain(0)[s]);
    EXPECT_FLOAT_EQ(parts.power(0)[s], whole.power(0)[s]);
  }
}

TEST(SpectralModel, GroupWithoutImagesKeepsItsValues) {
  SpectralModel spectral(kBox, kMaxShell, 2);
  auto sums = planted(40, 2, flat_gain);
  sums.resize(2 * kShells);
  spectral.update(sums, 40, 40);
  EXPECT_NEAR(spectral.gain(0)[4], 0.7, 1e-6);
  for (int s = 1; s <= kMaxShell; ++s) {
    EXPECT_EQ(spectral.gain(1)[s], 1);
    EXPECT_EQ(spectral.power(1)[s], kBox * kBox);
  }
}

TEST(SpectralModel, NoiseFreeDataStayFinite) {
  SpectralModel spectral(kBox, kMaxShell, 1);
  spectral.update(planted(10, 0, flat_gain), 10, 10);
  for (int s = 1; s <= kMaxShell; ++s) {
    EXPECT_GT(spectral.power(0)[s], 0);
    EXPECT_TRUE(std::isfinite(1 / spectral.power(0)[s]));
  }
  EXPECT_TRUE(std::isfinite(spectral.log_normaliser(0)));
}

TEST(SpectralModel, StateGoesRoundAndLearningGoesOn) {
  SpectralModel a(kBox, kMaxShell, 1);
  a.update(planted(60, 2, falling_gain), 60, 50);
  SpectralModel b(kBox, kMaxShell, 1);
  b.set_state(a.state());
  EXPECT_EQ(a.state(), b.state());
  EXPECT_EQ(a.log_normaliser(0), b.log_normaliser(0));
  a.update(planted(10, 5, flat_gain), 10, 50);
  b.update(planted(10, 5, flat_gain), 10, 50);
  EXPECT_EQ(a.state(), b.state());
}

TEST(SpectralModel, StateOfAnotherGridIsRefused) {
  SpectralModel spectral(kBox, kMaxShell, 1);
  for (const auto& other : {SpectralModel(kBox + 2, kMaxShell, 1), SpectralModel(kBox, kMaxShell - 1, 1),
                            SpectralModel(kBox, kMaxShell, 2)})
    EXPECT_THROW(spectral.set_state(other.state()), Error);
  auto cut = spectral.state();
  cut.pop_back();
  EXPECT_THROW(spectral.set_state(cut), Error);
  EXPECT_THROW(spectral.set_state({}), Error);
  EXPECT_EQ(spectral.state(), SpectralModel(kBox, kMaxShell, 1).state());
}

TEST(SpectralModel, LearnsGainAndPowerOfImages) {
  // Two groups of 1500 images each, contrasts vary; the estimates are alternated as in training.
  constexpr int kImages = 3000;
  TestScene scene(24, 12, kImages, 10, 2, 21);
  const auto contrast = 1 + 0.2 * torch::randn(kImages, torch::kFloat64);
  scene.spectra =
      (contrast.view({-1, 1, 1}) * scene.prediction() + scene.noise(1)[0]).to(torch::kComplexFloat);
  SpectralModel spectral(24, 12, 2);
  std::vector<SpectralSums> sums;
  for (int round = 0; round < 4; ++round) {
    evaluate_likelihood(scene.spec, scene.bead_amplitudes(), spectral, {round == 0 ? 0 : 0.2, false},
                        scene.view(), {.sums = &sums});
    spectral.forget();
    spectral.update(sums, kImages, kImages);
  }
  int well_determined = 0;
  for (int g = 0; g < 2; ++g)
    for (int s = 1; s <= 12; ++s) {
      const double gain = scene.gain[g][s].item<double>(), power = scene.power[g][s].item<double>();
      const auto& sum = sums[g * 13 + s];
      EXPECT_NEAR(spectral.power(g)[s] / power, 1, 4 * std::sqrt(2 / sum.count)) << g << " " << s;
      const double error = std::sqrt(power / sum.prediction_power) / gain;
      if (error > 0.02) continue;
      ++well_determined;
      // 3 % for what smoothing over shells does to a curve.
      EXPECT_NEAR(spectral.gain(g)[s] / gain, 1, 0.03 + 4 * error) << g << " " << s;
    }
  EXPECT_GE(well_determined, 8);
}
