#include "cryoscape/latent/ising_beta.hpp"

#include <gtest/gtest.h>

#include "cryoscape/latent/test_ising.hpp"

using namespace cryoscape;
using namespace cryoscape::latent;

TEST(FitBeta, RecoversTheInverseTemperatureOfExactSamples) {
  auto problem = glass(12, 1);
  problem.beta = 0.65;
  const auto samples = ExactSampler().sample(problem, 20000, 2);
  problem.beta = 1;
  const auto fit = fit_beta(problem, samples.values);
  EXPECT_LT(fit.error, 0.01);
  EXPECT_NEAR(fit.value, 0.65, 4 * fit.error);
}

TEST(FitBeta, IsInUnitsOfTheProblems) {
  auto problem = glass(12, 1);
  problem.beta = 0.65;
  const auto samples = ExactSampler().sample(problem, 20000, 2);
  EXPECT_NEAR(samples.beta_effective, 1, 4 * samples.beta_error);
  problem.beta = 1.3;
  EXPECT_NEAR(fit_beta(problem, samples.values).value, 0.5 * samples.beta_effective, 1e-5);
}

// The spread of the fits of many sets of samples is the error that each of them states.
TEST(FitBeta, StatesItsError) {
  const auto problem = glass(8, 3);
  double sum = 0, squares = 0, stated = 0;
  constexpr int kSets = 200;
  for (int k = 0; k < kSets; ++k) {
    const auto samples = ExactSampler().sample(problem, 400, static_cast<std::uint64_t>(100 + k));
    sum += samples.beta_effective / kSets;
    squares += samples.beta_effective * samples.beta_effective / kSets;
    stated += samples.beta_error / kSets;
  }
  // A standard deviation of 200 numbers is known to 5 %.
  EXPECT_NEAR(std::sqrt(squares - sum * sum) / stated, 1, 0.2);
  EXPECT_NEAR(sum, 1, 4 * stated / std::sqrt(kSets) + stated * stated);
}

TEST(FitBeta, SaysThatGroundStatesHaveNone) {
  const auto problem = glass(8, 4);
  const auto p = enumerate(problem).probabilities;
  const auto ground = state_of(static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin()), 8);
  const auto fit = fit_beta(problem, ground);
  EXPECT_EQ(fit.value, kLargestBeta);
  EXPECT_TRUE(std::isinf(fit.error));
}

TEST(FitBeta, OfAConstantEnergyIsUnknown) {
  const IsingProblem problem{{0, 0}, {}};
  const auto fit = fit_beta(problem, std::vector<std::int8_t>{1, -1, 1, 1});
  EXPECT_EQ(fit.value, 1);
  EXPECT_TRUE(std::isinf(fit.error));
}
