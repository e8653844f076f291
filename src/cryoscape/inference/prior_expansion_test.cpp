#include "cryoscape/inference/prior_expansion.hpp"

#include <gtest/gtest.h>

namespace cryoscape::inference {
namespace {

std::shared_ptr<latent::Prior> make(const std::string& kind, int dim) {
  latent::PriorOptions options;
  options.kind = kind, options.dim = dim, options.components = 2;
  return latent::make_prior(options, 1);
}

TEST(PriorExpander, OfTheStandardNormalIsExact) {
  torch::manual_seed(1);
  const auto prior = make("gaussian", 3);
  const auto z = torch::randn({4, 3}, torch::kFloat64);
  const auto e = PriorExpander(*prior, torch::randn({100, 3})).expand(z);
  EXPECT_LT((e.energy - 0.5 * z.pow(2).sum(1)).abs().max().item<double>(), 1e-6);
  EXPECT_LT((e.slope - z).abs().max().item<double>(), 1e-6);
  EXPECT_TRUE(torch::equal(e.stiffness[2], torch::eye(3, torch::kFloat64)));
}

/// A mixture started at two narrow clusters ±3 along the first latent.
struct TwoClusters {
  std::shared_ptr<latent::Prior> prior = make("mixture", 2);
  torch::Tensor samples;

  TwoClusters() {
    torch::manual_seed(2);
    auto means = 0.5 * torch::randn({400, 2});
    means.select(1, 0).add_(3 * torch::sign(torch::randn({400})));
    auto generator = torch::make_generator<at::CPUGeneratorImpl>(1);
    prior->after_warm_up(means, 0.2 * torch::ones({400, 2}), generator);
    samples = prior->sample(2000, generator);
  }
};

TEST(PriorExpander, SlopeAndStiffnessAreTheEnergysDerivativesWhereItIsConvex) {
  const TwoClusters c;
  const PriorExpander expander(*c.prior, c.samples);
  const auto z = torch::tensor({{3.0, 0.1}, {-2.9, -0.2}}, torch::kFloat64);
  const auto e = expander.expand(z);
  constexpr double kStep = 0.05;  // energies are float32: differences of second order need a long one
  for (int k = 0; k < 2; ++k) {
    auto step = torch::zeros({2}, torch::kFloat64);
    step[k] = kStep;
    const auto ahead = expander.energy(z + step), behind = expander.energy(z - step);
    EXPECT_LT((e.slope.select(1, k) - (ahead - behind) / (2 * kStep)).abs().max().item<double>(), 0.02);
    const auto second = (ahead + behind - 2 * e.energy) / (kStep * kStep);
    EXPECT_LT((e.stiffness.select(1, k).select(1, k) / second - 1).abs().max().item<double>(), 0.05);
  }
}

TEST(PriorExpander, SlopesOfAllPriorsOfRealsAreTheirEnergysDerivatives) {
  for (const char* kind : {"mixture", "vamp", "flow", "gbrbm", "ebm", "ebm-snl", "diffusion-ebm"}) {
    const auto prior = make(kind, 2);
    torch::manual_seed(4);
    auto generator = torch::make_generator<at::CPUGeneratorImpl>(1);
    prior->after_warm_up(torch::randn({200, 2}), 0.3 * torch::ones({200, 2}), generator);
    const PriorExpander expander(*prior, torch::randn({500, 2}));
    const auto from = torch::randn({2}, torch::kFloat64), along = torch::tensor({0.6, 0.8}, torch::kFloat64);
    // The slope's integral along a line is the energy's difference, kinks or not.
    constexpr int kPoints = 401;
    const auto t = torch::linspace(-1, 1, kPoints, torch::kFloat64).unsqueeze(1);
    const auto line = from + t * along;
    const auto slopes = expander.expand(line).slope.mv(along);
    const double integral = torch::trapezoid(slopes, t.squeeze(1)).item<double>();
    const auto energies = expander.energy(line);
    const double difference = (energies[kPoints - 1] - energies[0]).item<double>();
    EXPECT_NEAR(integral, difference, 1e-3 * (1 + std::abs(difference))) << kind;
  }
}

TEST(PriorExpander, StiffnessIsNeverBelowThePriorsOwnPrecision) {
  const TwoClusters c;
  const auto e = PriorExpander(*c.prior, c.samples).expand(torch::tensor({{0.05, 0.0}}, torch::kFloat64));
  const double least = torch::linalg_eigvalsh(e.stiffness).min().item<double>();
  // Between the clusters the energy falls to both sides; the samples' variance there is 9 and a bit.
  EXPECT_NEAR(1 / least, 9.3, 1.0);
}

TEST(PriorExpander, BitsAreNoneOfItsBusiness) {
  const auto prior = make("rbm", 2);
  EXPECT_THROW(PriorExpander(*prior, torch::zeros({5, 32})), std::logic_error);
}

}  // namespace
}  // namespace cryoscape::inference
