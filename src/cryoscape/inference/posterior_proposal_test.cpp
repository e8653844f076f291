#include "cryoscape/inference/posterior_proposal.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cryoscape/util/test_error.hpp"

namespace cryoscape::inference {
namespace {

constexpr std::size_t kDraws = 40000;
const std::vector<std::int64_t> kFive{5}, kBoth{2, 5};

/// Particle 2 has one mode; particle 5 has two, of shares 0.8 and 0.2, the first correlated.
Expansions modes() {
  Expansions e;
  e.dim = 2, e.particle = {2, 5, 5}, e.mass = {1, 0.8f, 0.2f};
  e.point = {0, 0, -1, 0.5f, 2, 1};
  e.information = {1, 0, 0, 1, 4, 1, 1, 2, 9, 0, 0, 1};
  return e;
}

TEST(ProposeFromModes, HasTheMixturesMoments) {
  const auto drawn = propose_from_modes(modes())(kFive, kDraws, 1);
  double mean[2] = {}, square[2] = {};
  for (std::size_t k = 0; k < kDraws; ++k)
    for (int j = 0; j < 2; ++j) {
      const double z = drawn.latent[2 * k + static_cast<std::size_t>(j)];
      mean[j] += z / kDraws, square[j] += z * z / kDraws;
    }
  // Precision (4 1; 1 2) has variances 2/7 and 4/7; the other mode 1/9 and 1.
  EXPECT_NEAR(mean[0], -0.4, 0.04);  // six standard errors and more
  EXPECT_NEAR(mean[1], 0.6, 0.04);
  EXPECT_NEAR(square[0], 0.8 * (1 + 2.0 / 7) + 0.2 * (4 + 1.0 / 9), 0.08);
  EXPECT_NEAR(square[1], 0.8 * (0.25 + 4.0 / 7) + 0.2 * (1 + 1), 0.06);
}

TEST(ProposeFromModes, ItsDensityIsNormalised) {
  const auto drawn = propose_from_modes(modes())(kFive, kDraws, 2);
  // A narrower density is known to integrate to one: so does its importance-weighted estimate.
  double sum = 0;
  for (std::size_t k = 0; k < kDraws; ++k) {
    const double x = drawn.latent[2 * k] + 1, y = drawn.latent[2 * k + 1] - 0.5;
    const double narrow = -0.5 * (x * x + y * y) / 0.04 - std::log(2 * std::numbers::pi * 0.04);
    sum += std::exp(narrow - drawn.log_density[k]) / kDraws;
  }
  EXPECT_NEAR(sum, 1, 0.1);  // the weights spread by 2.5: a standard error of 0.013
}

TEST(ProposeFromModes, OfAParticleDoNotDependOnTheOthers) {
  const auto propose = propose_from_modes(modes());
  const auto both = propose(kBoth, 3, 4), one = propose(kFive, 3, 4);
  EXPECT_EQ(std::vector<float>(both.latent.end() - 6, both.latent.end()), one.latent);
  EXPECT_NE(propose(kFive, 3, 5).latent, one.latent);
}

TEST(ProposeFromModes, SaysWhatIsNotThere) {
  const std::vector<std::int64_t> missing{3};
  EXPECT_NE(error_of([&] { propose_from_modes(modes())(missing, 1, 1); }).find("particle 4"),
            std::string::npos);
  auto singular = modes();
  singular.information[0] = -1;
  const std::vector<std::int64_t> two{2};
  EXPECT_NE(error_of([&] { propose_from_modes(singular)(two, 1, 1); }).find("particle 3"), std::string::npos);
}

TEST(ProposeFromDraws, TakesThemByPosteriorShareAndKnowsTheEvidence) {
  // Shares ∝ e^{ratio − proposal − energy}: 1, 2 and 1.
  const float two = std::log(2.0f);
  const ScoredDraws draws{1, {5, 5, 5}, {0, 1, 2}, {two, two, 1}, {0, 0, 1}};
  const std::vector<double> energies{two, 0, 0};
  const auto drawn = propose_from_draws(draws, energies)(kFive, kDraws, 3);
  double count[3] = {};
  for (std::size_t k = 0; k < kDraws; ++k) {
    const auto m = static_cast<std::size_t>(drawn.latent[k]);
    count[m] += 1.0 / kDraws;
    // Weighed by the same likelihood and prior, every draw gives the evidence (1 + 2 + 1)/3.
    EXPECT_NEAR(draws.log_ratio[m] - energies[m] - drawn.log_density[k], std::log(4.0 / 3), 1e-6);
  }
  EXPECT_NEAR(count[0], 0.25, 0.013);  // six standard errors
  EXPECT_NEAR(count[1], 0.5, 0.015);
}

}  // namespace
}  // namespace cryoscape::inference
