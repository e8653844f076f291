#include "cryoscape/latent/langevin.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

using namespace cryoscape::latent;

namespace {

torch::Generator generator(std::uint64_t seed) { return torch::make_generator<at::CPUGeneratorImpl>(seed); }

torch::Tensor half_square(const torch::Tensor& x) { return 0.5 * x.pow(2).sum(1); }

constexpr double kApart = 10;  ///< of the wells

/// Two wells of variance 1, 10 apart, of weights 0.8 and 0.2.
torch::Tensor two_wells(const torch::Tensor& x) {
  const auto other = x - kApart;
  return -torch::logaddexp(std::log(0.8) - 0.5 * x.pow(2).sum(1), std::log(0.2) - 0.5 * other.pow(2).sum(1));
}

/// A normal of standard deviation 8 about the wells' middle.
Proposal broad() {
  const auto energy = [](const torch::Tensor& x) {
    return 0.5 * ((x - 0.5 * kApart) / 8).pow(2).sum(1) + std::log(8 * std::sqrt(2 * std::numbers::pi));
  };
  const auto sample = [](std::int64_t n, torch::Generator& g) {
    return 0.5 * kApart + 8 * torch::randn({n, 1}, g, torch::kFloat64);
  };
  return {energy, sample};
}

}  // namespace

TEST(Langevin, UnadjustedStepsHaveTheirOwnVariance) {
  for (const double s : {0.4, 1.0}) {
    auto g = generator(1);
    auto w = walkers_at(half_square, torch::randn({20000, 1}, g, torch::kFloat64));
    double sum = 0;
    constexpr int kSteps = 100, kUsed = 50;
    for (int i = 0; i < kSteps; ++i) {
      langevin_step(half_square, w, s, g);
      if (i >= kSteps - kUsed) sum += w.points.pow(2).mean().item<double>() / kUsed;
    }
    // At least 20,000 independent values: a relative error of 1 %.
    EXPECT_NEAR(sum, 1 / (1 - s * s / 4), 0.03) << s;
  }
}

TEST(Langevin, AdjustedStepsKeepTheDensity) {
  auto g = generator(2);
  auto w = walkers_at(half_square, torch::randn({20000, 2}, g, torch::kFloat64));
  for (int i = 0; i < 50; ++i) adjusted_langevin_step(half_square, w, 1.2, g);
  EXPECT_NEAR(w.points.pow(2).mean().item<double>(), 1, 5 * std::sqrt(2.0 / 40000));
}

TEST(Langevin, StepSizeFindsItsAcceptance) {
  auto g = generator(3);
  auto w = walkers_at(half_square, torch::randn({500, 8}, g, torch::kFloat64));
  double step = 0.01, acceptance = 0;
  for (int i = 0; i < 300; ++i)
    step = adapted_step(step, acceptance = adjusted_langevin_step(half_square, w, step, g));
  EXPECT_NEAR(acceptance, 0.574, 0.05);
}

TEST(Langevin, IndependentProposalsCrossBetweenWells) {
  auto g = generator(4);
  auto w = walkers_at(two_wells, torch::zeros({4000, 1}, torch::kFloat64));
  for (int i = 0; i < 60; ++i) {
    independence_step(two_wells, broad(), w, g);
    adjusted_langevin_step(two_wells, w, 1, g);
  }
  const double share = (w.points > 0.5 * kApart).to(torch::kFloat64).mean().item<double>();
  EXPECT_NEAR(share, 0.2, 5 * std::sqrt(0.16 / 4000));
}
