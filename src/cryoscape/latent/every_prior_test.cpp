#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "cryoscape/latent/prior.hpp"
#include "cryoscape/util/test_names.hpp"

using namespace cryoscape::latent;

/// What holds for every prior.
namespace {

constexpr std::int64_t kDim = 2;  ///< of real latents

torch::Generator generator(std::uint64_t seed) { return torch::make_generator<at::CPUGeneratorImpl>(seed); }

PriorOptions options(const std::string& kind) {
  PriorOptions o;
  o.kind = kind, o.dim = kDim, o.components = 3, o.hidden = 4, o.bits = 8, o.chains = 200;
  return o;
}

/// A prior that has left its start: real latents from two wells, in float64.
std::shared_ptr<Prior> started(const std::string& kind) {
  auto prior = make_prior(options(kind), 1);
  auto g = generator(2);
  auto means = torch::rand({600, prior->dim()}, g);
  const auto reals = prior->dim() - prior->bits();
  means.narrow(1, prior->bits(), reals).copy_(torch::randn({600, reals}, g));
  means.narrow(1, prior->bits(), reals).add_(4 * torch::bernoulli(torch::full({600, 1}, 0.5), g));
  prior->after_warm_up(means, torch::full_like(means, 0.3f), g);
  prior->to(torch::kFloat64);
  return prior;
}

Posterior posterior_of(const Prior& prior, std::int64_t rows, torch::Generator& g) {
  const auto as64 = torch::TensorOptions(torch::kFloat64);
  Posterior q{prior.bits(), torch::randn({rows, prior.dim()}, g, as64), {}};
  if (q.has_reals()) q.log_std = 0.3 * torch::randn({rows, prior.dim() - q.bits}, g, as64) - 1;
  return q;
}

/// Largest difference between a scalar function's gradient at x and central differences of it.
template <class Function>
double gradient_error(torch::Tensor x, Function&& value) {
  if (x.grad().defined()) x.mutable_grad() = torch::Tensor();
  value().backward();
  const auto gradient = x.grad().defined() ? x.grad().clone() : torch::zeros_like(x);
  torch::NoGradGuard no_grad;
  constexpr double kStep = 1e-5;
  double worst = 0;
  auto flat = x.detach().view({-1});
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    const double at = flat[i].item<double>();
    flat[i] = at + kStep;
    const double above = value().template item<double>();
    flat[i] = at - kStep;
    const double below = value().template item<double>();
    flat[i] = at;
    worst = std::max(worst, std::abs((above - below) / (2 * kStep) - gradient.view({-1})[i].item<double>()));
  }
  return worst;
}

class EveryPrior : public testing::TestWithParam<std::string> {};

}  // namespace

TEST_P(EveryPrior, EnergyHasTheGradientOfItsDifferences) {
  const auto prior = started(GetParam());
  auto g = generator(3);
  const auto z = torch::rand({5, prior->dim()}, g, torch::kFloat64).requires_grad_();
  const auto energy = [&] { return prior->energy(z).sum(); };
  EXPECT_LT(gradient_error(z, energy), 1e-6);
  for (const auto& p : prior->named_parameters()) {
    if (p.value().numel() > 300) continue;
    EXPECT_LT(gradient_error(p.value(), energy), 1e-5) << p.key();
  }
}

TEST_P(EveryPrior, KlHasTheGradientOfItsDifferences) {
  const auto prior = started(GetParam());
  auto g = generator(4);
  auto q = posterior_of(*prior, 4, g);
  const auto kl = [&] {
    auto noise = generator(5);
    return (prior->cross_entropy(q, prior->draw(q, noise)) - entropy(q)).sum();
  };
  q.mean.requires_grad_();
  EXPECT_LT(gradient_error(q.mean, kl), 1e-5);
  if (!q.has_reals()) return;
  q.log_std.requires_grad_();
  EXPECT_LT(gradient_error(q.log_std, kl), 1e-5);
}

TEST_P(EveryPrior, CrossEntropySendsNoGradientToThePrior) {
  const auto prior = started(GetParam());
  auto g = generator(6);
  auto q = posterior_of(*prior, 5, g);
  q.mean.requires_grad_();
  prior->cross_entropy(q, prior->draw(q, g)).sum().backward();
  EXPECT_TRUE(q.mean.grad().defined());
  for (const auto& p : prior->named_parameters()) {
    EXPECT_TRUE(p.value().requires_grad()) << p.key();
    EXPECT_FALSE(p.value().grad().defined() && p.value().grad().abs().max().item<double>() > 0) << p.key();
  }
}

// The prior's own step must lower the energy of data relative to samples of the model: with the sign flipped
// the KL diverges.
TEST_P(EveryPrior, StepsTowardsTheData) {
  const auto prior = started(GetParam());
  const auto optimiser = prior->make_optimiser();
  if (!optimiser) return;
  auto g = generator(7);
  const auto reals = prior->dim() - prior->bits();
  const auto bits = (torch::rand({2000, prior->bits()}, g) < 0.8).to(torch::kFloat64);
  const auto data = torch::cat({bits, 1 + 0.5 * torch::randn({2000, reals}, g, torch::kFloat64)}, 1);
  const auto log_density = [&] {
    torch::NoGradGuard no_grad;
    return -prior->energy(data).mean().item<double>() - prior->log_partition().value;
  };
  const double before = log_density();
  for (int i = 0; i < 400; ++i) {
    const auto batch = data.index({torch::randint(data.size(0), {256}, g, torch::kInt64)});
    const auto b = batch.narrow(1, 0, prior->bits()), y = batch.narrow(1, prior->bits(), reals);
    const Posterior q{prior->bits(), torch::cat({torch::logit(b, 1e-6), y}, 1), torch::full_like(y, -9)};
    optimiser->zero_grad();
    prior->contrast(q, {batch, batch}, g).backward();
    optimiser->step();
  }
  EXPECT_GT(log_density(), before + 0.05);
}

// Few particles, particles all alike, latents that do not vary, posteriors without width.
TEST_P(EveryPrior, StartsFromAnyParticles) {
  const auto prior_of = [&] { return make_prior(options(GetParam()), 1); };
  auto g = generator(13);
  const auto dim = prior_of()->dim(), bits = prior_of()->bits();
  auto one_constant = torch::rand({50, dim}, g);
  one_constant.narrow(1, dim - 1, 1).fill_(0.5);
  for (const auto& means : {torch::rand({1, dim}, g), torch::full({3, dim}, 0.3), one_constant}) {
    const auto prior = prior_of();
    prior->after_warm_up(means, torch::zeros_like(means), g);
    const auto optimiser = prior->make_optimiser();
    const auto z = torch::cat({means.narrow(1, 0, bits).round(), means.narrow(1, bits, dim - bits)}, 1);
    const auto reals = z.narrow(1, bits, dim - bits);
    const Posterior q{bits, torch::cat({means.narrow(1, 0, bits), reals}, 1), torch::full_like(reals, -9)};
    for (int i = 0; optimiser && i < 20; ++i) {
      optimiser->zero_grad();
      prior->contrast(q, {z, z}, g).backward();
      optimiser->step();
    }
    torch::NoGradGuard no_grad;
    EXPECT_TRUE(torch::isfinite(prior->energy(z)).all().item<bool>());
    EXPECT_TRUE(torch::isfinite(prior->sample(10, g)).all().item<bool>());
    const auto log_z = prior->log_partition();
    EXPECT_TRUE(std::isfinite(log_z.lower) && std::isfinite(log_z.upper) && log_z.lower <= log_z.upper);
  }
}

TEST_P(EveryPrior, SamplesAreLatents) {
  const auto prior = started(GetParam());
  auto g = generator(8);
  const auto z = prior->sample(50, g);
  EXPECT_EQ(z.sizes(), (std::vector<std::int64_t>{50, prior->dim()}));
  EXPECT_TRUE(torch::isfinite(z).all().item<bool>());
  const auto bits = z.narrow(1, 0, prior->bits());
  EXPECT_TRUE(torch::logical_or(bits == 0, bits == 1).all().item<bool>());
  EXPECT_GT(z.std(0).min().item<double>(), 0);
}

TEST_P(EveryPrior, IsWhatWasSaved) {
  const auto saved = started(GetParam());
  std::stringstream file;
  torch::serialize::OutputArchive out;
  saved->save(out);
  out.save_to(file);
  const auto loaded = make_prior(options(GetParam()), 9);
  loaded->to(torch::kFloat64);
  torch::serialize::InputArchive in;
  in.load_from(file);
  loaded->load(in);
  auto g = generator(10), h = generator(10);
  torch::NoGradGuard no_grad;
  const auto z = saved->sample(20, g);
  EXPECT_TRUE(torch::equal(z, loaded->sample(20, h)));
  EXPECT_TRUE(torch::equal(saved->energy(z), loaded->energy(z)));
  EXPECT_EQ(saved->log_partition().value, loaded->log_partition().value);
}

TEST_P(EveryPrior, NoiseDoesNotDependOnHowABatchIsSharedOut) {
  const auto prior = started(GetParam());
  auto g = generator(11);
  const auto whole = posterior_of(*prior, 7, g);
  const auto rows = [&](std::int64_t first, std::int64_t count) {
    auto random = generator(12);
    auto q = whole;
    q.mean = q.mean.narrow(0, first, count);
    if (q.has_reals()) q.log_std = q.log_std.narrow(0, first, count);
    return prior->draw(q, random, {first, 7}).smooth;
  };
  EXPECT_TRUE(torch::allclose(torch::cat({rows(0, 3), rows(3, 4), rows(7, 0)}), rows(0, 7), 1e-6, 1e-6));
}

INSTANTIATE_TEST_SUITE_P(All, EveryPrior, testing::ValuesIn(prior_kinds()), cryoscape::parameter_name);
