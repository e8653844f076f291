#include "cryoscape/latent/annealed_adam.hpp"

#include <gtest/gtest.h>

using namespace cryoscape::latent;

TEST(AnnealedAdam, FallsWithItsStepsAndGoesOnFromThem) {
  // With a constant gradient every step of Adam is as long as the rate.
  const auto length = [](double steps_before) {
    const auto x = torch::zeros({1}, torch::kFloat64).requires_grad_();
    const auto steps = torch::full({1}, steps_before);
    AnnealedAdam optimiser({{{x}, 0.1}}, steps);
    x.sum().backward();
    optimiser.step();
    EXPECT_EQ(steps.item<double>(), steps_before + 1);
    return -x.item<double>();
  };
  EXPECT_NEAR(length(0), 0.1, 1e-6);
  EXPECT_NEAR(length(1000), 0.05, 1e-6);
  EXPECT_NEAR(length(1e6), 0.005, 1e-6);
}
