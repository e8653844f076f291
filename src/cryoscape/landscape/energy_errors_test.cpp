#include "cryoscape/landscape/energy_errors.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/inference/refit_bootstrap.hpp"
#include "cryoscape/inference/test_expansions.hpp"

namespace cryoscape::landscape {
namespace {

using inference::GaussianMixture;

// Two wells on a line, three standard deviations and more apart from what lies between them.
constexpr double kDeviation = 0.25, kLeft = 0.7;
constexpr std::size_t kParticles = 2000;

GaussianMixture two_wells() {
  GaussianMixture wells;
  for (const double side : {-1.0, 1.0})
    wells.push_back({side < 0 ? kLeft : 1 - kLeft, Eigen::VectorXd::Constant(1, side),
                     Eigen::MatrixXd::Constant(1, 1, kDeviation * kDeviation)});
  return wells;
}

Points places(const std::vector<double>& x) {
  return Eigen::Map<const Eigen::VectorXd>(x.data(), static_cast<Eigen::Index>(x.size())).transpose();
}

std::vector<double> energies_at(const GaussianMixture& mixture, const Points& x) {
  const auto ready = inference::prepared(mixture);
  std::vector<double> out;
  for (Eigen::Index i = 0; i < x.cols(); ++i) out.push_back(-inference::log_density(ready, x.col(i)));
  return out;
}

/// Where the wells are, and points one and two deviations up the left one and at the pass.
struct Scene {
  KnownPlaces places;
  KnownEnergies energies;
  GaussianMixture fitted;
  std::vector<GaussianMixture> resampled;
};

Scene scene(double noise, std::uint64_t seed = 21, int resamples = 100) {
  const auto e = inference::measured_particles(two_wells(), kParticles, 1, noise, seed);
  Scene out;
  out.fitted = inference::deconvolve(e, {}, two_wells(), {}).mixture;
  out.places = {places({-1, 1}), {places({-1, -1 + kDeviation, -1 + 2 * kDeviation, -0.05, 1})}};
  out.energies = {energies_at(out.fitted, out.places.minima),
                  {{0, 1, energies_at(out.fitted, out.places.paths[0])}}};
  out.resampled = inference::bootstrap_mixtures(e, out.fitted, {}, resamples, seed + 1);
  return out;
}

EnergyErrors errors_of(const Scene& s, double factor = 1) {
  return energy_errors(s.energies, resampled_energies(s.energies, s.places, s.fitted, s.resampled, factor));
}

/// Variance of −ln of one well's part of the density t deviations from its centre, times its particles: of
/// its weight, mean and variance, all found by counting.
double variance_times_count(double t) { return 1 + t * t + 0.5 * std::pow(t * t - 1, 2); }

}  // namespace

TEST(EnergyErrors, OfKnownLatentsFollowFromCounts) {
  const auto errors = errors_of(scene(0.02));
  const double left = kLeft * kParticles, right = (1 - kLeft) * kParticles;
  const double between = std::sqrt(variance_times_count(0) * (1 / left + 1 / right));
  // Errors of 100 resamples are known to 1/√200 = 7 %, three and a half of which are 25 %.
  EXPECT_EQ(errors.minima[0], 0);
  EXPECT_NEAR(errors.minima[1] / between, 1, 0.25);
  // t deviations up the left well, above its minimum, weights cancel: −t δμ/σ − ½ t² δσ²/σ².
  const auto& path = errors.paths[0];
  const auto above_own = [&](double t) { return std::sqrt((t * t + 0.5 * std::pow(t, 4)) / left); };
  EXPECT_NEAR(path.energies[0], 0, 1e-12);
  EXPECT_NEAR(path.energies[1] / above_own(1), 1, 0.25);
  EXPECT_NEAR(path.energies[2] / above_own(2), 1, 0.25);
  EXPECT_NEAR(path.energies[4], errors.minima[1], 1e-12);
}

TEST(EnergyErrors, OfBarriersAreThoseOfThePass) {
  const auto s = scene(0.02);
  const auto path = errors_of(s).paths.at(0);
  const double top = s.energies.paths[0].energies[3];
  EXPECT_NEAR(path.barriers[0].value, top - s.energies.minima[0], 1e-12);
  EXPECT_NEAR(path.barriers[1].value, top - s.energies.minima[1], 1e-12);
  // The lowest minimum is the left one in every resample, so that its barrier is the saddle's energy.
  EXPECT_NEAR(path.saddle.error, path.barriers[0].error, 1e-12);
  EXPECT_NEAR(path.saddle.error, path.energies[3], 1e-12);
  for (const auto& b : path.barriers) {
    EXPECT_LE(b.low, b.value - 1.96 * b.error);
    EXPECT_GE(b.high, b.value + 1.96 * b.error);
  }
}

TEST(EnergyErrors, ScaleWithTheFactor) {
  const auto s = scene(0.02);
  const auto whole = errors_of(s), half = errors_of(s, 0.5);
  EXPECT_NEAR(half.minima[1], 0.5 * whole.minima[1], 1e-12);
  EXPECT_NEAR(half.paths[0].barriers[0].error, 0.5 * whole.paths[0].barriers[0].error, 1e-12);
}

TEST(EnergyErrors, OfNoisyImagesAreTheScatterOfFits) {
  // Noise nearly as wide as the wells: the same experiment 40 times over, and the bars of a few of them.
  constexpr double kNoise = 0.2;
  constexpr std::uint64_t kRepeats = 40, kWithBars = 5;
  std::vector<double> minima, passes;
  double of_minimum = 0, of_pass = 0;
  for (std::uint64_t i = 0; i < kRepeats; ++i) {
    const auto s = scene(kNoise, 100 + i, i < kWithBars ? 40 : 0);
    minima.push_back(s.energies.minima[1] - s.energies.minima[0]);
    passes.push_back(s.energies.paths[0].energies[3] - s.energies.minima[0]);
    if (i >= kWithBars) continue;
    const auto errors = errors_of(s);
    of_minimum += errors.minima[1] / kWithBars, of_pass += errors.paths[0].energies[3] / kWithBars;
  }
  // The scatter is known to 1/√80 = 11 %, the bars, which vary by a fifth between experiments, to 10 %: 35 %
  // are more than two of both.
  EXPECT_NEAR(of_minimum / inference::estimate(0, minima).error, 1, 0.35);
  EXPECT_NEAR(of_pass / inference::estimate(0, passes).error, 1, 0.35);
}

TEST(EnergyErrors, TheLowestMinimumOfAResampleIsAtZero) {
  // Two minima that change places in every other resample, by 1 kT; the pass stays 5 kT above both's mean.
  const KnownEnergies found{{0, 0}, {{0, 1, {0, 5, 0}}}};
  std::vector<KnownEnergies> resamples;
  for (int i = 0; i < 10; ++i) {
    const double shift = i % 2 == 0 ? 0.5 : -0.5;
    resamples.push_back({{shift, -shift}, {{0, 1, {shift, 5, -shift}}}});
  }
  const auto errors = energy_errors(found, resamples);
  // Energies are 0 or 1; the pass lies at 5.5 always, and 4.5 or 5.5 above a minimum.
  const double of_two = std::sqrt(10.0 / 9) / 2;
  EXPECT_NEAR(errors.minima[0], of_two, 1e-12);
  EXPECT_NEAR(errors.minima[1], of_two, 1e-12);
  EXPECT_NEAR(errors.paths[0].saddle.error, 0, 1e-12);
  EXPECT_NEAR(errors.paths[0].barriers[0].error, of_two, 1e-12);
  EXPECT_NEAR(errors.paths[0].barriers[1].error, of_two, 1e-12);
}

TEST(EnergyErrors, ASaddleIsTheHighestPointOfEachResample) {
  const KnownEnergies found{{0}, {{0, 0, {0, 3, 2.9}}}};
  const auto errors = energy_errors(found, {{{0}, {{0, 0, {0, 2, 4}}}}, {{0}, {{0, 0, {0, 4, 2}}}}});
  EXPECT_NEAR(errors.paths[0].saddle.error, 0, 1e-12);
  EXPECT_EQ(errors.paths[0].saddle.value, 3);
  EXPECT_EQ(errors.paths[0].saddle.high, 4);
}

}  // namespace cryoscape::landscape
