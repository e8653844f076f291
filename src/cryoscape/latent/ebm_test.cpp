#include "cryoscape/latent/ebm.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cryoscape/util/error.hpp"

using namespace cryoscape;
using namespace cryoscape::latent;

namespace {

constexpr double kApart = 7;  ///< of the wells, whose standard deviation is 1

PriorOptions options(const std::string& kind, const std::string& training = "importance") {
  PriorOptions o;
  o.kind = kind, o.ebm_training = training, o.dim = 2, o.components = 4, o.chains = 512;
  return o;
}

torch::Tensor two_wells(std::int64_t n, torch::Generator& g) {
  auto z = torch::randn({n, 2}, g);
  z.narrow(1, 0, 1).add_(kApart * (torch::rand({n, 1}, g) < 0.3));
  return z;
}

/// On a grid of points (n, 2): the truth's log density, and log probabilities and cell size.
struct Grid {
  torch::Tensor points, log_density;
  double cell = 0;

  Grid() {
    constexpr int kPoints = 301;
    const auto axis = torch::linspace(-10, 17, kPoints);
    points = torch::cartesian_prod({axis, axis});
    cell = std::pow(27.0 / (kPoints - 1), 2);
    const auto x = points.select(1, 0), y = points.select(1, 1);
    log_density =
        torch::logaddexp(std::log(0.7) - 0.5 * x.pow(2), std::log(0.3) - 0.5 * (x - kApart).pow(2)) -
        0.5 * y.pow(2) - std::log(2 * std::numbers::pi);
  }
  /// KL(true‖prior), the prior's log Z by the grid too.
  double kl(const Prior& prior) const {
    torch::NoGradGuard no_grad;
    const auto e = prior.energy(points).to(torch::kFloat64);
    const auto p = torch::exp(log_density).to(torch::kFloat64) * cell;
    return (p * (log_density + e)).sum().item<double>() + log_z(prior);
  }
  double log_z(const Prior& prior) const {
    torch::NoGradGuard no_grad;
    return torch::logsumexp(-prior.energy(points).to(torch::kFloat64), 0).item<double>() + std::log(cell);
  }
};

/// A prior that has learned the wells.
std::shared_ptr<Prior> learned(const PriorOptions& o, int steps) {
  auto prior = make_prior(o, 1);
  auto g = torch::make_generator<at::CPUGeneratorImpl>(2);
  const auto data = two_wells(20000, g);
  prior->after_warm_up(data, torch::full_like(data, 0.05), g);
  const auto optimiser = prior->make_optimiser();
  for (int i = 0; i < steps; ++i) {
    const auto z = data.index({torch::randint(data.size(0), {64}, g, torch::kInt64)});
    optimiser->zero_grad();
    prior->contrast({0, z, torch::full_like(z, -3)}, {z, z}, g).backward();
    optimiser->step();
  }
  return prior;
}

}  // namespace

// The normal that these start as is 0.9 nat from the wells; a sixth of that is wells found, with their
// weights, and the noise of batches left. The exact log Z is the grid's.
TEST(LearnedDensity, ComesCloseToTwoWells) {
  const Grid grid;
  // The levels of a diffusion share its steps.
  for (const auto& o : {options("flow"), options("vamp"), options("ebm"), options("ebm", "persistent"),
                        options("ebm-snl"), options("diffusion-ebm")}) {
    const auto prior = learned(o, o.kind == "diffusion-ebm" ? 800 : 300);
    const auto name = o.kind + " " + o.ebm_training;
    EXPECT_LT(grid.kl(*prior), 0.15) << name;
    const auto bracket = prior->log_partition();
    const double slack = bracket.exact ? 0.01 : 0;  // the grid's own error and what lies beyond it
    EXPECT_LE(bracket.lower, grid.log_z(*prior) + slack) << name;
    EXPECT_GE(bracket.upper, grid.log_z(*prior) - slack) << name;
    auto g = torch::make_generator<at::CPUGeneratorImpl>(3);
    const auto share = (prior->sample(4000, g).select(1, 0) > 0.5 * kApart).to(torch::kFloat64).mean();
    EXPECT_NEAR(share.item<double>(), 0.3, 0.06) << name;
  }
}

// Short runs need not reach equilibrium, so the density between and beyond them means little; but data must
// come to lie lower than what lies between the wells.
TEST(Ebm, ShortRunsRaiseTheEnergyBetweenTheWells) {
  auto o = options("ebm", "langevin");
  o.langevin_steps = 20;
  const auto prior = learned(o, 150);
  torch::NoGradGuard no_grad;
  const auto along = [&](double x) {
    return prior->energy(torch::tensor({{x, 0.0}}, torch::kFloat32)).item<double>();
  };
  EXPECT_GT(along(0.5 * kApart), along(0) + 1);
  EXPECT_GT(along(0.5 * kApart), along(kApart) + 1);
}

TEST(Ebm, DiagnosticsSayHowChainsMix) {
  const auto prior = learned(options("ebm"), 100);
  const auto json = prior->diagnostics();
  EXPECT_LT(json["energy_r_hat"].get<double>(), 1.01);
  EXPECT_GT(json["effective_samples"].get<double>(), 100);
  EXPECT_TRUE(json.contains("positive_energy") && json.contains("negative_energy"));
  EXPECT_FALSE(json.contains("warning"));
}

TEST(Ebm, RefusesImportanceSamplingOfManyDimensions) {
  auto o = options("ebm");
  o.dim = 12;
  try {
    make_prior(o, 1);
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_STREQ(e.what(),
                 "--ebm-training importance is for up to 10 latent dimensions, not 12: use persistent");
  }
}

// Latents follow the energy while it learns, and may gather where the proposals hardly ever come: energies
// there must not fall without end.
TEST(EnergyPriors, StayDensitiesWhileLatentsFollowThem) {
  constexpr int kDim = 8;
  constexpr double kWidth = 0.03;
  for (const std::string kind : {"ebm", "ebm-snl"}) {
    auto o = options(kind);
    o.dim = kDim;
    auto g = torch::make_generator<at::CPUGeneratorImpl>(21);
    const auto prior = make_prior(o, 1);
    auto mean = torch::randn({64, kDim}, g);
    const auto log_std = torch::full({64, kDim}, std::log(kWidth));
    prior->after_warm_up(mean, torch::exp(log_std), g);
    mean.requires_grad_();
    const auto optimiser = prior->make_optimiser();
    torch::optim::Adam encoder({mean}, torch::optim::AdamOptions(5e-3));
    for (int step = 0; step < 800; ++step) {
      const Posterior q{0, mean, log_std, {}, {}};
      const auto sample = prior->draw(q, g);
      encoder.zero_grad();
      prior->cross_entropy(q, sample).mean().backward();
      encoder.step();
      optimiser->zero_grad();
      prior
          ->contrast({0, mean.detach(), log_std, {}, {}},
                     {sample.hard.detach(), sample.smooth.detach(), {}, {}}, g)
          .backward();
      optimiser->step();
    }
    const auto json = prior->diagnostics();
    // By the proposals alone 13 nats in the case of ebm, and more with every step.
    EXPECT_NEAR(json["positive_energy"].get<double>(), json["negative_energy"].get<double>(), 6) << kind;
  }
}
