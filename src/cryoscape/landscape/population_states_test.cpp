#include "cryoscape/landscape/population_states.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace cryoscape::landscape {
namespace {

constexpr double kNoise = 0.5;  ///< of a particle's place
constexpr std::uint32_t kParticles = 4000;
constexpr Eigen::Index kDraws = 10000;
constexpr std::size_t kPerParticle = 16;

struct Well {
  double weight, place, width;
};

double log_gauss(double x, double width) { return -0.5 * x * x / (width * width) - std::log(width); }

double draw(const std::vector<Well>& wells, Philox& random) {
  double u = random.uniform();
  std::size_t k = 0;
  while (k + 1 < wells.size() && u >= wells[k].weight) u -= wells[k++].weight;
  return wells[k].place + wells[k].width * random.normal();
}

/// A density on a line in Å, and particles of it seen through noise. Draws of their likelihoods with a flat
/// proposal, so that weights are 0 and the prior alone makes the shares.
PopulationSample sample_of(const std::vector<Well>& wells) {
  PopulationSample out;
  Philox random(7);
  out.draws.resize(1, kDraws);
  for (auto& x : out.draws.reshaped()) x = draw(wells, random);
  out.posteriors.dim = 1;
  std::vector<double> places;
  for (std::uint32_t i = 0; i < kParticles; ++i) {
    const double seen = draw(wells, random) + kNoise * random.normal();
    out.posteriors.ranges.push_back({i, places.size(), places.size() + kPerParticle});
    for (std::size_t k = 0; k < kPerParticle; ++k) {
      const double x = seen + kNoise * random.normal();
      places.push_back(x);
      out.posteriors.latent.push_back(static_cast<float>(x));
      out.posteriors.log_weight.push_back(0);
      double density = 0;
      for (const auto& w : wells) density += w.weight * std::exp(log_gauss(x - w.place, w.width));
      out.energies.push_back(-std::log(density + 1e-12));
    }
  }
  out.places = Eigen::Map<const Points>(places.data(), 1, static_cast<Eigen::Index>(places.size()));
  return out;
}

/// Posterior means, which noise has moved.
Points means_of(const PopulationSample& sample) {
  Points out(1, kParticles);
  for (std::uint32_t i = 0; i < kParticles; ++i)
    out(0, i) = sample.places.middleCols(static_cast<Eigen::Index>(i * kPerParticle), kPerParticle).mean();
  return out;
}

}  // namespace

TEST(PopulationStates, AreTheWellsOfTheDensityWithTheErrorsOfTheParticles) {
  const auto sample = sample_of({{0.9, -1.5, 0.4}, {0.1, 1.5, 0.4}});
  const auto set = population_states(sample, means_of(sample), {}, 1);
  ASSERT_EQ(set.states.size(), 2u);
  EXPECT_FALSE(set.continuous);
  // Of 10,000 draws: a standard deviation of 0.3 %.
  EXPECT_NEAR(set.states[1].population, 0.1, 0.012);
  EXPECT_NEAR(set.states[0].population + set.states[1].population, 1, 1e-9);
  EXPECT_NEAR(set.states[1].energy, std::log(9), 0.13);
  // The wells are far apart for the noise: few particles' wells are unknown, so the error is little above
  // that of counts, and that of the energy is σ/(p(1 − p)).
  const double counts = std::sqrt(0.1 * 0.9 / kParticles);
  EXPECT_GT(set.states[1].population_error, 0.8 * counts);
  EXPECT_LT(set.states[1].population_error, 1.6 * counts);
  EXPECT_NEAR(set.states[1].energy_error * 0.09 / set.states[1].population_error, 1, 0.25);
  EXPECT_EQ(set.states[0].particles + set.states[1].particles, kParticles);
  EXPECT_EQ(set.assignment.size(), kParticles);
}

TEST(PopulationStates, OneWellIsOneState) {
  const auto sample = sample_of({{1, 0, 1}});
  const auto set = population_states(sample, means_of(sample), {}, 1);
  ASSERT_EQ(set.states.size(), 1u);
  EXPECT_EQ(set.states[0].population, 1);
  EXPECT_EQ(set.states[0].population_error, 0);
  EXPECT_FALSE(set.continuous);
}

TEST(PopulationStates, AUniformMotionIsContinuous) {
  std::vector<Well> wells;
  for (int k = 0; k < 20; ++k) wells.push_back({0.05, -5 + 10 * k / 19.0, 0.5});
  const auto sample = sample_of(wells);
  const auto set = population_states(sample, means_of(sample), {}, 1);
  EXPECT_EQ(set.states.size(), 1u);
  EXPECT_TRUE(set.continuous);
}

TEST(PopulationStates, AStateThatMostResamplesLackIsJoinedToItsNeighbour) {
  const auto sample = sample_of({{0.9, -1.2, 0.4}, {0.1, 1.2, 0.4}});
  LandscapeOptions options;
  const auto set = population_states(sample, means_of(sample), options, 1);
  ASSERT_EQ(set.states.size(), 2u);
  // With a billionth in it the other well's tail, 1.5e-8 of its peak at six deviations, leaves no dip.
  EXPECT_EQ(joined_counts(set, {{0.9, 0.1}, {1, 1e-9}, {1, 0}}, 0.5)(1, 0), 2);
  EXPECT_EQ(joined_counts(set, {{0.9, 0.1}}, 0.5)(1, 0), 0);
  // With a number given, all stay.
  options.states = 3;
  EXPECT_EQ(population_states(sample, means_of(sample), options, 1).states.size(), 3u);
}

TEST(BasinPopulations, HaveErrorsOfAllParticlesWhereSomeWereDrawn) {
  auto sample = sample_of({{0.7, -2, 0.4}, {0.3, 2, 0.4}});
  const auto right = [](const Points& places) {
    std::vector<int> out;
    for (Eigen::Index i = 0; i < places.cols(); ++i) out.push_back(places(0, i) > 0);
    return out;
  };
  const auto all = basin_populations(sample, 2, right, 3);
  EXPECT_NEAR(all.population[1], 0.3, 0.02);
  EXPECT_NEAR(all.error[0], all.error[1], 1e-9);
  sample.error_factor = 0.5;
  EXPECT_NEAR(basin_populations(sample, 2, right, 3).error[1], 0.5 * all.error[1], 1e-12);
}

}  // namespace cryoscape::landscape
