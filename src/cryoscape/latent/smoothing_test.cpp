#include "cryoscape/latent/smoothing.hpp"

#include <gtest/gtest.h>

#include <cmath>

using namespace cryoscape::latent;

TEST(OverlappingExponential, IsTheInverseCdf) {
  const double beta = 8;
  for (const double q : {0.001, 0.3, 0.5, 0.9, 0.999})
    for (const double rho : {0.001, 0.2, 0.5, 0.8, 0.999}) {
      const double zeta = overlapping_exponential(torch::full({1}, q, torch::kFloat64),
                                                  torch::full({1}, rho, torch::kFloat64), beta)
                              .item<double>();
      // CDF of (1 − q) r₀ + q r₁ with r₁ = β e^{β(ζ−1)}/(1 − e^{−β}).
      const double r1 = (std::exp(beta * (zeta - 1)) - std::exp(-beta)) / (1 - std::exp(-beta));
      const double r0 = (1 - std::exp(-beta * zeta)) / (1 - std::exp(-beta));
      EXPECT_NEAR((1 - q) * r0 + q * r1, rho, 1e-9) << q << " " << rho;
    }
}

TEST(OverlappingExponential, GradientMatchesFiniteDifferences) {
  const auto q = torch::tensor({0.05, 0.4, 0.6, 0.95}, torch::kFloat64).requires_grad_();
  const auto rho = torch::tensor({0.3, 0.7, 0.2, 0.5}, torch::kFloat64);
  overlapping_exponential(q, rho, 8).sum().backward();
  const double h = 1e-6;
  torch::NoGradGuard no_grad;
  const auto difference =
      (overlapping_exponential(q + h, rho, 8) - overlapping_exponential(q - h, rho, 8)) / (2 * h);
  EXPECT_LT((q.grad() - difference).abs().max().item<double>(), 1e-5);
}

TEST(OverlappingExponential, GradientIsFiniteForCertainBitsInSinglePrecision) {
  const auto logits = torch::tensor({-200.0f, -60.0f, -20.0f, -10.0f, 10.0f, 20.0f, 60.0f, 200.0f})
                          .view({-1, 1})
                          .requires_grad_();
  const auto rho = torch::linspace(0, 1, 1001).view({1, -1});
  const auto zeta = overlapping_exponential(torch::sigmoid(logits), rho, 8);
  EXPECT_TRUE(torch::logical_and(zeta >= 0, zeta <= 1).all().item<bool>());
  zeta.sum().backward();
  EXPECT_TRUE(torch::isfinite(logits.grad()).all().item<bool>());
}
