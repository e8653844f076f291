#include "cryoscape/latent/posterior.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

using namespace cryoscape::latent;

namespace {

torch::Generator generator(std::uint64_t seed) { return torch::make_generator<at::CPUGeneratorImpl>(seed); }

/// Two bits and one real latent of three particles.
Posterior mixed() {
  auto g = generator(1);
  return {2, torch::randn({3, 3}, g), 0.5 * torch::randn({3, 1}, g)};
}

}  // namespace

TEST(Entropy, BitsAndGaussians) {
  const Posterior bits{2, torch::tensor({{0.0f, 100.0f}}), {}};
  EXPECT_NEAR(entropy(bits).item<double>(), std::log(2), 1e-6);
  const Posterior gaussian{0, torch::zeros({1, 1}), torch::full({1, 1}, std::log(2.0f))};
  EXPECT_NEAR(entropy(gaussian).item<double>(), 0.5 * std::log(2 * std::numbers::pi * std::numbers::e * 4),
              1e-5);
}

TEST(Entropy, IsMinusTheMeanLogDensity) {
  const auto q = mixed();
  auto g = generator(2);
  const std::int64_t n = 200000;
  const auto bits = (torch::rand({n, 3, 2}, g) < torch::sigmoid(q.logits())).to(torch::kFloat32);
  const auto reals = q.means() + torch::exp(q.log_std) * torch::randn({n, 3, 1}, g);
  const auto z = torch::cat({bits, reals}, 2);
  for (std::int64_t k = 0; k < 3; ++k) {
    const Posterior one{2, q.mean.narrow(0, k, 1).expand({n, 3}), q.log_std.narrow(0, k, 1).expand({n, 1})};
    EXPECT_NEAR(-log_density(one, z.select(1, k)).mean().item<double>(), entropy(q)[k].item<double>(), 0.01);
  }
}

TEST(Posterior, MomentsOfBitsAndReals) {
  const auto q = mixed();
  const auto p = torch::sigmoid(q.logits());
  EXPECT_TRUE(torch::allclose(expectation(q), torch::cat({p, q.means()}, 1)));
  EXPECT_TRUE(
      torch::allclose(deviation(q), torch::cat({torch::sqrt(p * (1 - p)), torch::exp(q.log_std)}, 1)));
}
