#include "cryoscape/latent/relaxed.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cryoscape/latent/smoothing.hpp"

using namespace cryoscape::latent;

namespace {

constexpr std::int64_t kBits = 8;

struct Case {
  DenseUnits machine;
  torch::Tensor states, log_weights;  ///< (2^n, n), b·z + ½ zᵀJz
};

/// A bipartite machine of couplings of the size `scale`.
Case example(double scale) {
  auto g = torch::make_generator<at::CPUGeneratorImpl>(1);
  const auto as64 = torch::TensorOptions(torch::kFloat64);
  auto j = torch::zeros({kBits, kBits}, as64);
  j.narrow(0, 0, kBits / 2)
      .narrow(1, kBits / 2, kBits / 2)
      .copy_(scale * torch::randn({kBits / 2, kBits / 2}, g));
  Case c{{0.5 * torch::randn({kBits}, g, as64), j + j.t()}, binary_states(kBits, as64), {}};
  c.log_weights = -energy(c.machine, c.states);
  return c;
}

/// ln Σ_z e^{b·z + ½ zᵀJz} Π r(ζ_i|z_i) (B).
torch::Tensor summed(const Case& c, const BitDensities& r) {
  const auto ones = r.of_one.mm(c.states.t()), zeros = r.of_zero.mm((1 - c.states).t());
  return torch::logsumexp(ones + zeros + c.log_weights, 1);
}

}  // namespace

TEST(Relaxed, GaussianIntegralIsTheSumOverBits) {
  torch::manual_seed(2);
  const auto c = example(1.5);
  const auto noise = gaussian_integral(c.machine.couplings, 3);
  EXPECT_GE(noise.lambda, 2 * torch::linalg_eigvalsh(c.machine.couplings).max().item<double>() - 1e-9);
  const auto zeta = torch::randn({20, kBits}, torch::kFloat64);
  const auto offset = zeta.unsqueeze(1) - c.states;  // (B, 2^n, n)
  const auto square = (offset.matmul(noise.precision) * offset).sum(2);
  const double half_log_det = 0.5 * torch::logdet(noise.precision).item<double>();
  const auto exact = torch::logsumexp(c.log_weights - 0.5 * square, 1) + half_log_det -
                     0.5 * kBits * std::log(2 * std::numbers::pi);
  // libtorch's softplus is x above 20, up to 2e-9 too little for each bit.
  EXPECT_LT((log_relaxed(c.machine, noise, zeta) - exact).abs().max().item<double>(), 2e-9 * kBits);
}

TEST(Relaxed, MarginalIsBoundedTightlyFromBelow) {
  torch::manual_seed(3);
  const auto c = example(1);
  const auto rho = torch::rand({500, kBits}, torch::kFloat64);
  const auto zeta = power_smoothing(torch::full({500, kBits}, 0.4, torch::kFloat64), rho, 30);
  const auto r = power_densities(zeta, 30);
  const auto gap = summed(c, r) - log_relaxed(c.machine, r, kBits / 2);
  EXPECT_GT(gap.min().item<double>(), -2e-5);  // the entropy's clamp: 1.7e-6 per bit
  EXPECT_LT(gap.mean().item<double>(), 0.05);
}

TEST(Relaxed, PowerDensitiesIntegrateToOne) {
  // The ends' masses and the density between them, on a grid even in ln ζ/(1 − ζ).
  const double edge = std::log((1 - kPowerEdge) / kPowerEdge);
  const auto t = torch::linspace(-edge, edge, 200001, torch::kFloat64).narrow(0, 1, 199999).unsqueeze(1);
  const auto zeta = torch::sigmoid(t);
  const auto ends = torch::tensor({kPowerEdge, 1 - kPowerEdge}, torch::kFloat64).unsqueeze(1);
  for (const bool one : {false, true}) {
    const auto pick = [&](const BitDensities& r) { return torch::exp(one ? r.of_one : r.of_zero); };
    const double inside =
        (pick(power_densities(zeta, 30)) * zeta * (1 - zeta)).sum().item<double>() * 2 * edge / 200000;
    const double at_ends = pick(power_densities(ends, 30)).sum().item<double>();
    EXPECT_NEAR(inside + at_ends, 1, 1e-4);
  }
}

TEST(Relaxed, PowerEndsAreRecognisedInSinglePrecision) {
  const auto q = torch::full({1, 2}, 0.5), rho = torch::tensor({{0.1, 0.6}});  // bits that are 0 and 1
  const auto single =
      power_densities(power_smoothing(q.to(torch::kFloat32), rho.to(torch::kFloat32), 30), 30);
  const auto exact = power_densities(power_smoothing(q.to(torch::kFloat64), rho.to(torch::kFloat64), 30), 30);
  EXPECT_LT((single.of_one - exact.of_one).abs().max().item<double>(), 1e-5);
  EXPECT_LT((single.of_zero - exact.of_zero).abs().max().item<double>(), 1e-5);
}

TEST(Relaxed, MixtureHasTheGradientOfItsDifferences) {
  auto logits = torch::tensor({{-1.0, 0.3, 2.0}}, torch::kFloat64).requires_grad_();
  const auto zeta = torch::tensor({{0.2, 0.9, 1.3}}, torch::kFloat64).requires_grad_();
  const auto at = [&] {
    return log_mixture(
        normal_densities(zeta, torch::zeros({3}, torch::kFloat64), torch::full({3}, 0.3, torch::kFloat64)),
        logits);
  };
  at().sum().backward();
  torch::NoGradGuard no_grad;
  const double h = 1e-6;
  for (const auto& x : {logits, zeta}) {
    auto value = x.detach();
    for (int i = 0; i < 3; ++i) {
      value[0][i] += h;
      const double above = at().item<double>();
      value[0][i] -= 2 * h;
      const double below = at().item<double>();
      value[0][i] += h;
      EXPECT_NEAR(x.grad()[0][i].item<double>(), (above - below) / (2 * h), 1e-6);
    }
  }
}
