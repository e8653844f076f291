#include "cryoscape/inference/refit_bootstrap.hpp"

#include <gtest/gtest.h>

#include "cryoscape/inference/test_expansions.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::inference {
namespace {

constexpr int kResamples = 100;

/// Two wells on a line; basins left and right of 0.
GaussianMixture two_wells(double left) {
  auto wells = three_wells(1);
  wells.pop_back();
  wells[0].weight = left, wells[1].weight = 1 - left;
  return wells;
}

std::vector<int> sides(const std::vector<float>& latents) {
  std::vector<int> out;
  for (const float z : latents) out.push_back(z > 0);
  return out;
}

std::vector<double> energies_of(const GaussianMixture& mixture, const RefitDraws& draws) {
  const auto ready = prepared(mixture);
  std::vector<double> out;
  for (const float z : draws.latent) out.push_back(-log_density(ready, Eigen::VectorXd::Constant(1, z)));
  return out;
}

/// Standard errors of the left population, by shapes that stay and by mixtures that are fitted anew.
std::pair<double, double> both_errors(double noise, const std::vector<std::uint32_t>& groups,
                                      std::size_t particles) {
  const auto truth = two_wells(0.8);
  const auto e = measured_particles(truth, particles, 1, noise, 21);
  const auto draws = posterior_draws(broadened(truth, 0.1, 2), e, 64, 22);
  const auto prior = populations_of(truth, 2, sides);
  const auto of_shapes =
      bootstrap_populations(draws, energies_of(truth, draws), 2, sides, prior, groups, kResamples, 23);
  BootstrapPopulations anew{prior, {}};
  for (const auto& m : bootstrap_mixtures(e, deconvolve(e, {}, truth, {}).mixture, groups, kResamples, 23))
    anew.resamples.push_back(populations_of(m, 2, sides));
  return {standard_errors(of_shapes)[0], standard_errors(anew)[0]};
}

}  // namespace

TEST(PopulationsOf, AMixtureAreItsIntegrals) {
  const auto p = populations_of(two_wells(0.8), 2, sides);
  EXPECT_NEAR(p[0], 0.8, 1e-3);  // wells end four standard deviations from 0
  EXPECT_NEAR(p[0] + p[1], 1, 1e-12);
}

TEST(Bootstrap, OfKnownLatentsIsThatOfCounting) {
  // √(0.8 · 0.2 / 1000), itself known to 1/√(2 · 100) = 7 %: three and a half of them.
  const auto [shapes, anew] = both_errors(0.05, {}, 1000);
  EXPECT_NEAR(shapes, 0.01265, 0.25 * 0.01265);
  EXPECT_NEAR(anew, 0.01265, 0.25 * 0.01265);
}

TEST(Bootstrap, NoiseWidensErrors) {
  const auto [shapes, anew] = both_errors(0.8, {}, 1000);
  EXPECT_GT(shapes, 1.2 * 0.01265);
  EXPECT_GT(anew, 1.2 * 0.01265);
}

TEST(Bootstrap, RepeatedParticlesAreOne) {
  // Four rows of each particle: as many rows tell half as much.
  std::vector<std::uint32_t> groups;
  for (std::uint32_t i = 0; i < 1000; ++i) groups.push_back(i / 4);
  std::vector<EntryRange> ranges;
  for (std::uint32_t i = 0; i < 1000; ++i) ranges.push_back({i, i, i + 1});
  const auto w = resample_weights(ranges, groups, 1, 0);
  for (std::size_t i = 0; i < w.size(); ++i) EXPECT_EQ(w[i], w[i - i % 4]);
  EXPECT_NE(w, resample_weights(ranges, groups, 1, 1));
}

TEST(ResampleWeights, ArePoisson) {
  std::vector<EntryRange> ranges;
  for (std::uint32_t i = 0; i < 20000; ++i) ranges.push_back({i, i, i + 1});
  double mean = 0, square = 0, none = 0;
  for (const double w : resample_weights(ranges, {}, 3, 5))
    mean += w / 20000, square += w * w / 20000, none += (w == 0) / 20000.0;
  EXPECT_NEAR(mean, 1, 0.035);  // five standard errors
  EXPECT_NEAR(square - mean * mean, 1, 0.07);
  EXPECT_NEAR(none, std::exp(-1.0), 0.02);
}

TEST(BootstrapPopulations, NeedOnePopulationPerBasin) {
  RefitDraws draws{1, {{0, 0, 1}}, {0.5f}, {0}};
  EXPECT_NE(error_of([&] { bootstrap_populations(draws, {0}, 2, sides, {1}, {}, 1, 1); }).find("2 basins"),
            std::string::npos);
}

}  // namespace cryoscape::inference
