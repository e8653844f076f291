#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cryoscape/latent/partition.hpp"
#include "cryoscape/latent/priors.hpp"

using namespace cryoscape::latent;

namespace {

torch::Generator generator(std::uint64_t seed) { return torch::make_generator<at::CPUGeneratorImpl>(seed); }

PriorOptions options(const std::string& kind, int dim = 2) {
  PriorOptions o;
  o.kind = kind, o.dim = dim, o.components = 4, o.hidden = 4, o.bits = 10, o.chains = 500;
  return o;
}

/// Wells in d dimensions with standard deviation 1, centres 7 apart, as means and (small) deviations.
torch::Tensor wells(std::int64_t n, std::int64_t d, const std::vector<double>& weights, torch::Generator& g) {
  const auto k = torch::multinomial(torch::tensor(weights), n, true, g);
  auto centres = torch::zeros({static_cast<std::int64_t>(weights.size()), d});
  for (std::size_t i = 0; i < weights.size(); ++i) centres[i][i % d] = 7.0;
  return centres.index({k}) + torch::randn({n, d}, g);
}

double true_log_density(const torch::Tensor& z, const std::vector<double>& weights) {
  const auto d = z.size(1);
  std::vector<torch::Tensor> terms;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    auto centre = torch::zeros({d});
    centre[i % d] = 7.0;
    terms.push_back(std::log(weights[i]) - 0.5 * (z - centre).pow(2).sum(1) -
                    0.5 * d * std::log(2 * std::numbers::pi));
  }
  return torch::logsumexp(torch::stack(terms), 0).mean().item<double>();
}

/// Mean log density under a trained prior.
double log_density(Prior& prior, const torch::Tensor& z) {
  torch::NoGradGuard no_grad;
  return -prior.energy(z).mean().item<double>() - prior.log_partition().value;
}

void train(Prior& prior, const torch::Tensor& data, int steps, torch::Generator& g) {
  auto optimiser = prior.make_optimiser();
  for (int i = 0; i < steps; ++i) {
    const auto batch = data.index({torch::randint(data.size(0), {256}, g, torch::kInt64)});
    Posterior q{prior.bits(), prior.bits() > 0 ? torch::logit(batch, 1e-6) : batch,
                torch::full_like(batch, -9)};
    optimiser->zero_grad();
    prior.contrast(q, {batch, batch}, g).backward();
    optimiser->step();
  }
}

/// Integral of e^{−E} over a grid of the plane.
double grid_log_integral(const Prior& prior, double half, int n) {
  const auto axis = torch::linspace(-half, half, n);
  const auto grid = torch::cartesian_prod({axis, axis});
  const double cell = 2 * half / (n - 1);
  return torch::logsumexp((-prior.energy(grid)).to(torch::kFloat64), 0).item<double>() + 2 * std::log(cell);
}

}  // namespace

TEST(Gbrbm, PartitionSamplesAndHiddenWeightsAgreeWithAGrid) {
  GaussianBernoulliRbm prior(options("gbrbm"), 1);
  auto g = generator(11);
  prior.after_warm_up(torch::randn({500, 2}, g), torch::full({500, 2}, 0.5f), g);
  {
    torch::NoGradGuard no_grad;
    auto parameters = prior.named_parameters();
    parameters["b"].copy_(torch::tensor({0.7f, -0.4f}));
    parameters["log_sigma"].copy_(torch::tensor({0.3f, -0.5f}));
    parameters["fields"].copy_(torch::randn({4}, g));
    parameters["w"].copy_(torch::randn({2, 4}, g));
  }
  torch::NoGradGuard no_grad;
  EXPECT_NEAR(prior.log_partition().value, grid_log_integral(prior, 25, 1001), 1e-3);
  const auto z = prior.sample(200000, g);
  // ⟨∂E/∂b⟩ = 0 at equilibrium of the b-gradient's model average: compare the mean of z with the grid's.
  const auto axis = torch::linspace(-25, 25, 1001);
  const auto grid = torch::cartesian_prod({axis, axis});
  const auto p = torch::softmax(-prior.energy(grid).to(torch::kFloat64), 0).unsqueeze(1);
  const auto mean = (p * grid.to(torch::kFloat64)).sum(0),
             square = (p * grid.to(torch::kFloat64).pow(2)).sum(0);
  for (int k = 0; k < 2; ++k) {
    const double deviation = std::sqrt((square[k] - mean[k] * mean[k]).item<double>());
    EXPECT_NEAR(z.mean(0)[k].item<double>(), mean[k].item<double>(), 5 * deviation / std::sqrt(200000.0));
  }
}

TEST(Gbrbm, StartFromMotionsSplitsAlongThem) {
  GaussianBernoulliRbm prior(options("gbrbm"), 1);
  auto g = generator(15);
  const auto data = torch::randn({4000, 2}, g) * torch::tensor({2.0f, 0.5f}) + 3;
  const auto along = torch::tensor({{0.6f}, {0.8f}});
  prior.after_warm_up(data, torch::zeros_like(data), g, along);
  torch::NoGradGuard no_grad;
  const auto z = prior.sample(20000, g);
  // As wide as the data, and moved by the first hidden bit one standard deviation along the motion.
  EXPECT_LT((z.mean(0) - 3).abs().max().item<double>(), 0.1);
  EXPECT_LT((z.std(0) / data.std(0) - 1).abs().max().item<double>(), 0.1);
  const auto p = prior.density();
  const auto step = torch::exp(p.log_sigma) * p.w.select(1, 0) / data.std(0);
  EXPECT_LT((step - along.select(1, 0)).abs().max().item<double>(), 0.05);
}

// Beyond exact sums: persistent chains, a bracket by annealing, and what the chains say of themselves.
TEST(Gbrbm, ManyHiddenBitsLearnByChainsThatMix) {
  auto o = options("gbrbm");
  o.hidden = 24, o.sweeps = 5;
  GaussianBernoulliRbm prior(o, 1);
  auto g = generator(14);
  const auto data = wells(3000, 2, {0.7, 0.3}, g);
  prior.after_warm_up(data, torch::full_like(data, 0.3f), g);
  train(prior, data, 100, g);
  torch::NoGradGuard no_grad;
  const auto json = prior.diagnostics();
  const double exact = grid_log_integral(prior, 25, 1001);
  EXPECT_LE(json["log_partition_lower"].get<double>(), exact + 0.01);
  EXPECT_GE(json["log_partition_upper"].get<double>(), exact - 0.01);
  EXPECT_LT(json["log_partition_upper"].get<double>() - json["log_partition_lower"].get<double>(), 0.5);
  EXPECT_LT(json["energy_r_hat"].get<double>(), 1.05);
  EXPECT_NEAR(json["positive_energy"].get<double>(), json["negative_energy"].get<double>(), 1);
}

TEST(Mixture, DensityIntegratesToOneAndSamplesFollowIt) {
  MixturePrior prior(options("mixture"));
  auto g = generator(12);
  EXPECT_NEAR(grid_log_integral(prior, 12, 401), 0, 1e-3);
  const auto data = wells(3000, 2, {0.7, 0.3}, g);
  prior.after_warm_up(data, torch::full_like(data, 0.3f), g);
  torch::NoGradGuard no_grad;
  EXPECT_NEAR(grid_log_integral(prior, 30, 1201), 0, 1e-3);
  const auto z = prior.sample(50000, g);
  EXPECT_NEAR(z.mean(0)[0].item<double>(), data.mean(0)[0].item<double>(), 0.2);
  EXPECT_NEAR(z.var(0)[0].item<double>(), data.var(0)[0].item<double>() + 0.09, 0.6);
}

TEST(ContinuousPriors, LearnSeparatedWells) {
  const std::vector<double> weights{0.6, 0.3, 0.1};
  for (const std::string kind : {"mixture", "gbrbm"}) {
    auto o = options(kind, 8);
    o.components = 6, o.hidden = 8;
    auto prior = make_prior(o, 1);
    auto g = generator(13);
    const auto data = wells(6000, 8, weights, g), test = wells(6000, 8, weights, g);
    prior->after_warm_up(data, torch::full_like(data, 0.05f), g);
    train(*prior, data, 300, g);
    const double kl = true_log_density(test, weights) - log_density(*prior, test);
    EXPECT_LT(kl, 0.1) << kind;
    EXPECT_GT(kl, -0.05) << kind;
  }
}
