#include "cryoscape/latent/chain_sampler.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cryoscape/latent/noise.hpp"

using namespace cryoscape::latent;

namespace {

torch::Generator generator(std::uint64_t seed) { return torch::make_generator<at::CPUGeneratorImpl>(seed); }

/// A normal of a standard deviation in d dimensions.
Proposal normal_of(double deviation, std::int64_t d) {
  const double constant = static_cast<double>(d) * std::log(deviation * std::sqrt(2 * std::numbers::pi));
  return {[=](const torch::Tensor& x) { return 0.5 * (x / deviation).pow(2).sum(1) + constant; },
          [=](std::int64_t n, torch::Generator& g) {
            return deviation * normal({n, d}, g, torch::TensorOptions(torch::kFloat64));
          }};
}

/// ½‖x/width‖², whose log Z is d ln(width √2π).
EnergyFunction well(double width) {
  return [=](const torch::Tensor& x) { return 0.5 * (x / width).pow(2).sum(1); };
}

double log_z(double width, std::int64_t d) {
  return static_cast<double>(d) * std::log(width * std::sqrt(2 * std::numbers::pi));
}

/// Diagnostics as of a prior whose log Z lies between 0 and this.
nlohmann::json bracket(double upper) {
  nlohmann::json json;
  record_partition({0, 0, upper, false}, json);
  return json;
}

}  // namespace

TEST(ChainSampler, BracketContainsTheExactPartition) {
  auto g = generator(1);
  const auto z = sampled_log_partition({well(1), normal_of(1.3, 4)}, g);
  EXPECT_LE(z.lower, log_z(1, 4));
  EXPECT_GE(z.upper, log_z(1, 4));
  EXPECT_LT(z.upper - z.lower, 0.2);
  EXPECT_GT(z.effective_samples, 500);
}

// Plain importance sampling would have the effect of 1 draw in 160: ∏ w √(2 − w²) with w = 0.2.
TEST(ChainSampler, AnnealsWhereTheProposalIsFarTooWide) {
  auto g = generator(2);
  const auto z = sampled_log_partition({well(0.2), normal_of(1, 4)}, g);
  EXPECT_LE(z.lower, log_z(0.2, 4));
  EXPECT_GE(z.upper, log_z(0.2, 4));
  EXPECT_LT(z.upper - z.lower, 1);
}

TEST(ChainSampler, SamplesFollowTheEnergy) {
  auto g = generator(3);
  const auto x = equilibrium_samples({well(0.5), normal_of(1, 2)}, 5000, g);
  EXPECT_EQ(x.size(0), 5000);
  EXPECT_NEAR(x.pow(2).mean().item<double>(), 0.25, 5 * 0.25 * std::sqrt(2.0 / 10000));
}

TEST(ChainSampler, MixingTellsGoodProposalsFromNone) {
  auto g = generator(4);
  EXPECT_LT(observed_mixing({well(1), normal_of(1.1, 2)}, g).r_hat, 1.01);
  // Wells 60 apart, which neither steps nor proposals cross, of different energies.
  const auto apart = [](const torch::Tensor& x) {
    return torch::minimum(0.5 * x.pow(2).sum(1), 0.5 * (x - 60).pow(2).sum(1) + 3);
  };
  auto walkers = walkers_at(apart, torch::tensor({{0.0}, {0.0}, {60.0}, {60.0}}, torch::kFloat64));
  const auto stuck = observed_mixing(100, [&] {
    adjusted_langevin_step(apart, walkers, 1, g);
    return walkers.energy;
  });
  EXPECT_GT(stuck.r_hat, 1.5);
}

TEST(ChainSampler, WarnsOfChainsThatDoNotMixAndOfWideBrackets) {
  auto good = bracket(0.1), stuck = bracket(0.1), wide = bracket(0.7);
  report_mixing(good, {1.001, 2}, "do this");
  report_mixing(stuck, {1.2, 50}, "do this");
  report_mixing(wide, {1.001, 2}, "do this");
  EXPECT_FALSE(good.contains("warning"));
  EXPECT_EQ(good["energy_r_hat"], 1.001);
  EXPECT_EQ(stuck["warning"], "the prior's chains do not mix (split-R 1.200, above 1.01): do this");
  EXPECT_EQ(wide["warning"], "the prior's log Z is known only to 0.70 nat: do this");
}

TEST(ChainSampler, WarnsOfSamplesFarFromData) {
  nlohmann::json near{{"positive_energy", 2.0}, {"negative_energy", 2.2}};
  nlohmann::json far{{"positive_energy", -2.0}, {"negative_energy", 2.5}};
  report_phases(near, "do this");
  report_phases(far, "do this");
  EXPECT_FALSE(near.contains("warning"));
  EXPECT_EQ(far["warning"], "the prior's samples have an energy of 2.50, data of -2.00 nat: do this");
}
