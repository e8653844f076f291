#include "cryoscape/latent/bit_prior.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/latent/rbm.hpp"

using namespace cryoscape::latent;

namespace {

torch::Generator generator(std::uint64_t seed) { return torch::make_generator<at::CPUGeneratorImpl>(seed); }

std::shared_ptr<RestrictedBoltzmann> machine(const Smoothing& smoothing, double scale) {
  PriorOptions o;
  o.kind = "rbm", o.bits = 8, o.chains = 200, o.smoothing = smoothing;
  auto prior = std::make_shared<RestrictedBoltzmann>(o, 1);
  auto g = generator(2);
  prior->set_parameters(0.5 * torch::randn({8}, g), scale * torch::randn({4, 4}, g));
  return prior;
}

}  // namespace

// With a likelihood of 1 the bound is on ln 1: the mean of p(ζ)/q(ζ|x) over draws of q is 1, or below it
// where p is a lower bound.
TEST(RelaxedPriors, ImportanceWeightsAverageToOne) {
  for (const std::string kind : {"gaussian-integral", "power"}) {
    const auto prior = machine({kind, {}}, 0.8);
    prior->to(torch::kFloat64);
    ASSERT_TRUE(prior->draws_have_density());
    auto g = generator(3);
    const std::int64_t n = 200000;
    const auto means = prior->sample(5000, g).mean(0);
    const Posterior q{8, torch::logit(means).expand({n, 8}).contiguous(), {}};
    const auto weights = torch::exp(prior->log_weight(q, prior->draw(q, g)) - prior->log_partition().value);
    const double mean = weights.mean().item<double>();
    const double error = weights.std().item<double>() / std::sqrt(static_cast<double>(n));
    EXPECT_LT(error, 0.02) << kind;
    EXPECT_LT(mean, 1 + 5 * error) << kind;
    EXPECT_GT(mean, (kind == "power" ? 0.95 : 1) - 5 * error) << kind;
  }
}

TEST(RelaxedPriors, WeightsHaveFiniteGradientsInSinglePrecision) {
  for (const std::string kind : {"gaussian-integral", "power"}) {
    const auto prior = machine({kind, {}}, 1);
    auto g = generator(4);
    const auto logits = (12 * torch::randn({500, 8}, g)).requires_grad_();
    const Posterior q{8, logits, {}};
    const auto weight = prior->log_weight(q, prior->draw(q, g));
    EXPECT_TRUE(torch::isfinite(weight).all().item<bool>()) << kind;
    weight.sum().backward();
    EXPECT_TRUE(torch::isfinite(logits.grad()).all().item<bool>()) << kind;
    EXPECT_FALSE(prior->biases().grad().defined());
  }
}

TEST(RelaxedPriors, OneGaussianIntegralSampleIsTheBoundOnAverage) {
  // KL of q(ζ) to p(ζ), as one number by its mean over draws, is positive and at most that of the bits and of
  // the noise together.
  const auto prior = machine({"gaussian-integral", {}}, 0.5);
  auto g = generator(5);
  const Posterior q{8, torch::zeros({20000, 8}), {}};
  const auto kl = (prior->cross_entropy(q, prior->draw(q, g)) - entropy(q)).mean().item<double>() +
                  prior->log_partition().value;
  EXPECT_GT(kl, 0);
  const auto hard = prior->draw_hard(q, g);
  const auto of_bits =
      (prior->cross_entropy(q, hard) - entropy(q)).mean().item<double>() + prior->log_partition().value;
  EXPECT_LT(kl, of_bits + 0.5);
}

TEST(BitPriors, OnlySomeHaveDensities) {
  EXPECT_FALSE(machine({"overlapping-exp", {}}, 1)->draws_have_density());
  PriorOptions o;
  o.smoothing.kind = "power", o.bits = 8;
  for (const std::string kind :
       {"bernoulli", "rbm", "boltzmann", "qbm", "rbm-hidden", "dbm", "rbm+gaussian"}) {
    o.kind = kind;
    EXPECT_EQ(make_prior(o, 1)->draws_have_density(),
              kind == "bernoulli" || kind == "rbm" || kind == "boltzmann" || kind == "qbm")
        << kind;
  }
}

TEST(BitPriors, WarnOfDeadBits) {
  const auto prior = machine({}, 0.1);
  auto g = generator(6);
  const auto steps = [&](const torch::Tensor& logits) {
    for (int i = 0; i < 600; ++i) {
      const Posterior q{8, logits, {}};
      prior->contrast(q, prior->draw(q, g), g);
    }
    return prior->diagnostics();
  };
  const auto dead = steps(torch::full({16, 8}, 0.5));
  EXPECT_EQ(dead["active_bits"], 0);
  EXPECT_EQ(dead["warning"],
            "the latent bits do not tell particles apart: lower --beta, or lengthen --warm-up");
  // A rare state seen through noise: no bit varies much, and all together tell enough.
  const auto rare = steps(0.5 + 0.4 * torch::randn({64, 1}, g).expand({64, 8}));
  EXPECT_EQ(rare["active_bits"], 0);
  EXPECT_NEAR(rare["bit_information"].get<double>(), 8 * 0.4 * 0.4 * 0.235 / 2, 0.06);
  EXPECT_FALSE(rare.contains("warning")) << rare["warning"];
  const auto alive = steps(5 * torch::randn({64, 8}, g));
  EXPECT_EQ(alive["active_bits"], 8);
  EXPECT_FALSE(alive.contains("warning")) << alive["warning"];
}

TEST(BitPriors, WarnOfChainsThatDoNotMix) {
  // Two states, all 0 and all 1, with a barrier that no sweep crosses.
  const auto prior = machine({}, 1);
  const auto w = torch::full({4, 4}, 12.0);
  prior->set_parameters(-0.5 * torch::cat({w.sum(1), w.sum(0)}), w);
  const auto record = prior->diagnostics();
  EXPECT_GT(record["mode_r_hat"].get<double>(), 1.1);
  EXPECT_NE(record["warning"].get<std::string>().find("raise --sweeps, now 25"), std::string::npos);
}

TEST(ChainDiagnostics, FitTheTemperatureOfTheChains) {
  // Samples of a machine, seen by one whose couplings are twice as strong, are at half its temperature.
  const auto prior = machine({}, 0.5);
  auto g = generator(7);
  PriorOptions o;
  o.kind = "rbm", o.bits = 8, o.chains = 20000;
  RestrictedBoltzmann many(o, 1);
  many.set_parameters(prior->biases(), prior->couplings());
  const Posterior q{8, torch::zeros({16, 8}), {}};
  const auto hard = torch::full({16, 8}, 0.5);
  for (int i = 0; i < 4; ++i) many.contrast(q, {hard, hard}, g);
  EXPECT_NEAR(many.diagnostics()["beta_effective"].get<double>(), 1, 0.05);
  many.set_parameters(2 * prior->biases(), 2 * prior->couplings());
  EXPECT_NEAR(many.diagnostics()["beta_effective"].get<double>(), 0.5, 0.03);
}
