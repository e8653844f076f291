#include "cryoscape/latent/whitening.hpp"

#include <gtest/gtest.h>

using namespace cryoscape::latent;

namespace {

/// Correlated latents (M, 3) of very different widths.
torch::Tensor correlated() {
  auto g = torch::make_generator<at::CPUGeneratorImpl>(1);
  const auto map = torch::tensor({{5.0, 1.0, 0.0}, {0.0, 0.5, 0.2}, {0.0, 0.0, 0.1}}, torch::kFloat64);
  return 3 + torch::randn({4000, 3}, g, torch::kFloat64).mm(map);
}

}  // namespace

TEST(Whitening, GivesTheAggregatePosteriorUnitCovariance) {
  const auto means = correlated(), deviations = torch::full_like(means, 0.3);
  Whitening w(3);
  w.to(torch::kFloat64);
  w.fit(means, deviations);
  const auto u = w.unit(means);
  EXPECT_LT(u.mean(0).abs().max().item<double>(), 1e-9);
  // Covariance of the means and of the posteriors about them, both in whitened coordinates.
  const auto to_unit = w.unit(torch::eye(3, torch::kFloat64)) - w.unit(torch::zeros({3, 3}, torch::kFloat64));
  const auto whole = u.t().mm(u) / 4000 + 0.09 * to_unit.t().mm(to_unit);
  EXPECT_LT((whole - torch::eye(3, torch::kFloat64)).abs().max().item<double>(), 1e-9);
  EXPECT_LT((w.latent(u) - means).abs().max().item<double>(), 1e-9);
  EXPECT_NEAR(w.log_volume().item<double>(), -0.5 * torch::logdet(to_unit.mm(to_unit.t())).item<double>(),
              1e-9);
}
