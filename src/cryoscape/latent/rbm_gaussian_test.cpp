#include "cryoscape/latent/rbm_gaussian.hpp"

#include <gtest/gtest.h>

#include <cmath>

using namespace cryoscape::latent;

namespace {

const auto kDouble = torch::TensorOptions(torch::kFloat64);

torch::Generator generator(std::uint64_t seed) { return torch::make_generator<at::CPUGeneratorImpl>(seed); }

/// Six bits and two real latents, in float64.
std::shared_ptr<RbmWithGaussians> example() {
  PriorOptions o;
  o.kind = "rbm+gaussian", o.bits = 6, o.dim = 2, o.chains = 1000;
  auto prior = std::make_shared<RbmWithGaussians>(o, 1);
  prior->to(torch::kFloat64);
  auto g = generator(2);
  torch::NoGradGuard no_grad;
  for (auto& p : prior->parameters()) p.copy_(0.4 * torch::randn(p.sizes(), g));
  return prior;
}

}  // namespace

TEST(RbmWithGaussians, CrossEntropyIsTheAverageOverBitsAndReals) {
  const auto prior = example();
  auto g = generator(3);
  const Posterior q{6, torch::randn({3, 8}, g, kDouble), 0.3 * torch::randn({3, 2}, g, kDouble) - 1};
  const auto found = prior->cross_entropy(q, {});
  // The energy is quadratic in each real: its average is that over y = m ± σ.
  torch::NoGradGuard no_grad;
  const auto states = binary_states(6, kDouble);
  const auto signs = 2 * binary_states(2, kDouble) - 1;
  for (std::int64_t k = 0; k < 3; ++k) {
    const auto l = q.logits()[k];
    const auto weight = torch::exp((states * l - torch::softplus(l)).sum(1));
    double exact = 0;
    for (std::int64_t s = 0; s < 4; ++s) {
      const auto y = q.means()[k] + signs[s] * torch::exp(q.log_std[k]);
      const auto z = torch::cat({states, y.expand({states.size(0), 2})}, 1);
      exact += 0.25 * weight.dot(prior->energy(z)).item<double>();
    }
    EXPECT_NEAR(found[k].item<double>(), exact, 1e-9);
  }
}

TEST(RbmWithGaussians, DensityIntegratesToOne) {
  const auto prior = example();
  torch::NoGradGuard no_grad;
  const auto states = binary_states(6, kDouble);
  const auto axis = torch::linspace(-25, 25, 201, kDouble);
  const auto grid = torch::cartesian_prod({axis, axis});
  double total = 0;
  for (std::int64_t s = 0; s < states.size(0); ++s)
    total += torch::exp(-prior->energy(torch::cat({states[s].expand({grid.size(0), 6}), grid}, 1)))
                 .sum()
                 .item<double>();
  EXPECT_NEAR(std::log(total * 0.0625), prior->log_partition().value, 1e-3);
}

TEST(RbmWithGaussians, SamplesFollowTheBasins) {
  const auto prior = example();
  auto g = generator(4);
  const auto z = prior->sample(200000, g);
  // Equipartition: ⟨u²⟩ = 1 for every real latent, so that energies exceed those of the bits by d/2 and the
  // normalisers.
  torch::NoGradGuard no_grad;
  auto parameters = prior->named_parameters();
  const auto b = z.narrow(1, 0, 6), y = z.narrow(1, 6, 2);
  const auto std = torch::exp(parameters["log_std"] + b.mm(parameters["log_std_by_bit"]));
  const auto u = (y - parameters["mean"] - b.mm(parameters["mean_by_bit"])) / std;
  EXPECT_LT(u.mean(0).abs().max().item<double>(), 5 / std::sqrt(2e5));
  EXPECT_LT((u.pow(2).mean(0) - 1).abs().max().item<double>(), 5 * std::sqrt(2 / 2e5));
}

TEST(RbmWithGaussians, LearnsWhereBitsPutTheReals) {
  PriorOptions o;
  o.kind = "rbm+gaussian", o.bits = 4, o.dim = 1, o.chains = 500, o.sweeps = 5;
  RbmWithGaussians prior(o, 1);
  auto g = generator(5);
  const auto bits = torch::bernoulli(torch::full({5000, 1}, 0.3), g).expand({5000, 4});
  const auto y = 4 * bits.narrow(1, 0, 1) + 0.5 * torch::randn({5000, 1}, g);
  const auto means = torch::cat({bits, y}, 1);
  prior.after_warm_up(means, torch::cat({torch::zeros({5000, 4}), torch::full({5000, 1}, 0.1)}, 1), g);
  const auto optimiser = prior.make_optimiser();
  for (int i = 0; i < 3000; ++i) {
    const auto rows = torch::randint(5000, {128}, g, torch::kInt64);
    const auto z = means.index({rows});
    const Posterior q{4, torch::cat({torch::logit(z.narrow(1, 0, 4), 1e-4), z.narrow(1, 4, 1)}, 1),
                      torch::full({128, 1}, -3)};
    optimiser->zero_grad();
    prior.contrast(q, {z, z}, g).backward();
    optimiser->step();
  }
  torch::NoGradGuard no_grad;
  const auto z = prior.sample(20000, g);
  const auto on = z.select(1, 0) > 0.5;
  EXPECT_NEAR(on.to(torch::kFloat32).mean().item<double>(), 0.3, 0.05);
  EXPECT_NEAR(z.select(1, 4).index({on}).mean().item<double>(), 4, 0.2);
  EXPECT_NEAR(z.select(1, 4).index({on.logical_not()}).mean().item<double>(), 0, 0.2);
  EXPECT_NEAR(z.select(1, 4).index({on}).std().item<double>(), 0.5, 0.15);
}
