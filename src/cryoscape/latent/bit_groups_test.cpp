#include "cryoscape/latent/bit_groups.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/latent/boltzmann.hpp"

using namespace cryoscape::latent;

namespace {

const auto kDouble = torch::TensorOptions(torch::kFloat64);

torch::Generator generator(std::uint64_t seed) { return torch::make_generator<at::CPUGeneratorImpl>(seed); }

std::shared_ptr<Prior> strong_prior(const std::string& kind, int bits,
                                    const std::string& smoothing = "overlapping-exp") {
  PriorOptions o;
  o.kind = kind, o.bits = bits, o.chains = 16, o.smoothing.kind = smoothing;
  auto prior = make_prior(o, 1);
  prior->to(torch::kFloat64);
  auto g = generator(2);
  torch::NoGradGuard no_grad;
  for (auto& p : prior->parameters()) p.copy_(1.5 * torch::randn(p.sizes(), g));
  return prior;
}

/// Groups whose networks say something.
std::shared_ptr<BitGroups> strong_groups(std::int64_t bits, int count) {
  auto groups = std::make_shared<BitGroups>(bits, count, 3);
  groups->to(torch::kFloat64);
  auto g = generator(4);
  torch::NoGradGuard no_grad;
  for (auto& p : groups->parameters()) p.add_(0.3 * torch::randn(p.sizes(), g));
  return groups;
}

/// The same image n times over.
Posterior posterior(std::int64_t bits, std::int64_t n, const std::shared_ptr<BitGroups>& groups) {
  auto g = generator(5);
  const auto logits = torch::randn({1, bits}, g, kDouble);
  return {bits, logits.expand({n, bits}).contiguous(), {}, groups, {}};
}

void expect_equal_means(const torch::Tensor& a, const torch::Tensor& b, const std::string& what) {
  const auto d = a - b;
  const double error = (d.std() / std::sqrt(static_cast<double>(d.numel()))).item<double>();
  EXPECT_NEAR(d.mean().item<double>(), 0, 4.5 * error) << what;
  EXPECT_LT(error, 0.02) << what;
}

}  // namespace

TEST(BitGroups, StartAsIndependentBits) {
  const auto prior = strong_prior("rbm", 7);
  auto groups = std::make_shared<BitGroups>(7, 3, 1);
  groups->to(torch::kFloat64);
  const auto q = posterior(7, 50, groups), independent = posterior(7, 50, nullptr);
  auto g = generator(6), same = generator(6);
  const auto a = prior->draw(q, g), b = prior->draw(independent, same);
  EXPECT_TRUE(torch::equal(a.hard, b.hard));
  EXPECT_TRUE(torch::equal(a.smooth, b.smooth));
  EXPECT_TRUE(torch::allclose(expectation(q), expectation(independent)));
}

TEST(BitGroups, HardDrawsHaveTheExactDivergence) {
  for (const std::string kind : {"bernoulli", "rbm", "boltzmann"}) {
    const auto prior = strong_prior(kind, 5);
    const auto groups = strong_groups(5, 2);
    torch::NoGradGuard no_grad;
    // By enumeration: q(z₁) q(z₂|z₁) of all states.
    const auto states = binary_states(5, kDouble);
    const auto encoder = posterior(5, 32, groups).logits();
    const auto logits = torch::cat({groups->logits(0, encoder, states.narrow(1, 0, 0)),
                                    groups->logits(1, encoder, states.narrow(1, 0, groups->first(1)))},
                                   1);
    const auto log_q = (states * logits - torch::softplus(logits)).sum(1);
    ASSERT_NEAR(log_q.exp().sum().item<double>(), 1, 1e-12);
    const double exact = (log_q.exp() * (log_q + prior->energy(states))).sum().item<double>();
    const auto q = posterior(5, 40000, groups);
    auto g = generator(7);
    const auto sample = prior->draw_hard(q, g);
    const auto drawn = given(q, sample);
    const auto kl = prior->cross_entropy(drawn, sample) - entropy(drawn);
    expect_equal_means(kl, torch::full_like(kl, exact), kind);
    expect_equal_means(prior->energy(sample.hard) + log_density(drawn, sample.hard),
                       torch::full_like(kl, exact), kind);
  }
}

// Of smoothed bits the divergence is that in z and ζ together, which hard bits of the same draws estimate
// too.
TEST(BitGroups, SmoothDrawsAgreeWithTheHardBitsBehindThem) {
  for (const std::string smoothing : {"overlapping-exp", "power"})
    for (const int count : {2, 3}) {
      const auto prior = strong_prior("boltzmann", 6, smoothing);
      ASSERT_TRUE(prior->takes_bit_groups());
      torch::NoGradGuard no_grad;
      const auto q = posterior(6, 60000, strong_groups(6, count));
      auto g = generator(8);
      const auto sample = prior->draw(q, g);
      const auto drawn = given(q, sample);
      auto z = sample;
      z.smooth = z.hard;
      expect_equal_means(prior->cross_entropy(drawn, z) - entropy(drawn),
                         prior->energy(sample.hard) + log_density(drawn, sample.hard), smoothing);
    }
}

TEST(BitGroups, GradientsAgreeWithFiniteDifferences) {
  const auto prior = strong_prior("rbm", 4);
  const auto groups = strong_groups(4, 2);
  const auto start = posterior(4, 30, groups);
  const auto kl = [&](const torch::Tensor& logits) {
    auto g = generator(9);  // the same noise every time
    const Posterior q{4, logits, {}, groups, {}};
    const auto sample = prior->draw(q, g);
    const auto drawn = given(q, sample);
    return (prior->cross_entropy(drawn, sample) - entropy(drawn)).sum();
  };
  const auto logits = start.mean.clone().requires_grad_();
  kl(logits).backward();
  torch::NoGradGuard no_grad;
  for (std::int64_t i = 0; i < 4; ++i) {
    auto step = torch::zeros_like(start.mean);
    step.select(1, i).fill_(1e-5);
    const double difference = ((kl(start.mean + step) - kl(start.mean - step)) / 2e-5).item<double>();
    EXPECT_NEAR(logits.grad().select(1, i).sum().item<double>(), difference,
                1e-4 * (1 + std::abs(difference)));
  }
}

TEST(BitGroups, OnlyPairCouplingsAndTellingSmoothingsTakeThem) {
  for (const std::string kind : {"rbm-hidden", "dbm", "rbm+gaussian", "gaussian"})
    EXPECT_FALSE(strong_prior(kind, 6)->takes_bit_groups()) << kind;
  for (const std::string smoothing : {"concrete", "spike-exp", "gaussian-integral", "straight-through"})
    EXPECT_FALSE(strong_prior("rbm", 6, smoothing)->takes_bit_groups()) << smoothing;
}
