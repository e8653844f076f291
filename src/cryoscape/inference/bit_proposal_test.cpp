#include "cryoscape/inference/bit_proposal.hpp"

#include <gtest/gtest.h>

#include "cryoscape/inference/image_expansion.hpp"
#include "cryoscape/latent/partition.hpp"
#include "cryoscape/model/test_scene.hpp"

using namespace cryoscape;
using namespace cryoscape::inference;

namespace {

/// A model with few bits whose decoder moves beads by about an Å per bit, and images of it.
struct BitScene {
  model::TestScene scene{24, 11, 6, 12, 1, 41};
  std::unique_ptr<model::HeterogeneityModel> model;

  explicit BitScene(const std::string& prior) {
    model::ModelOptions options;
    options.latent_dim = 2, options.bead_sigma = 3;
    options.prior.kind = prior, options.prior.bits = 6, options.prior.chains = 16;
    model::Scene s;
    s.box = scene.box(), s.pixel_size = scene.spec.pixel_size, s.max_shell = scene.max_shell;
    const float* x = scene.coordinates.data_ptr<float>();
    s.coordinates.assign(x, x + scene.coordinates[0].numel());
    const float* a = scene.amplitudes.data_ptr<float>();
    for (std::int64_t i = 0; i < scene.amplitudes.numel(); ++i) s.amplitudes.push_back(0.1f * a[i]);
    model = std::make_unique<model::HeterogeneityModel>(options, s, 1);
    model->spectral().set_state(scene.spectral().state());
    torch::NoGradGuard no_grad;
    torch::manual_seed(5);
    for (auto& p : model->named_parameters())
      if (p.key().find("layer5.weight") != std::string::npos)
        p.value().add_(2 * torch::randn_like(p.value()));
  }
};

}  // namespace

TEST(ScoredDraws, AverageToTheExactPosterior) {
  const BitScene s("rbm");
  auto& model = *s.model;
  const auto batch = s.scene.batch();
  const auto b = batch.size();
  const auto states = latent::binary_states(6, torch::TensorOptions(torch::kFloat32));
  // Exact: all 64 states.
  std::vector<torch::Tensor> exact;
  for (std::int64_t i = 0; i < b; ++i) {
    const auto ratios = image_log_ratios_at(model, batch, torch::full({64}, i, torch::kInt64), states);
    const auto weights = torch::softmax(ratios - model.prior().energy(states).to(torch::kFloat64), 0);
    exact.push_back(weights.unsqueeze(0).mm(states.to(torch::kFloat64)).squeeze(0));
  }
  const auto flat = independent_posterior(6, torch::full({b, 6}, 0.5), torch::full({b, 6}, 0.5));
  const auto settled = mean_field(model, batch, flat, 8);
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(3);
  const auto draws = scored_draws(model, batch, flat, settled, 4000, generator);
  const auto energy = model.prior().energy(draws.latents.flatten(0, 1)).view({b, 4000}).to(torch::kFloat64);
  const auto weights = torch::softmax(draws.log_ratio - energy - draws.log_proposal, 1);
  const auto mean = (weights.unsqueeze(2) * draws.latents.to(torch::kFloat64)).sum(1);
  // Half of the draws are uniform over 64 states, so weights are at most 128 times their mean: with an
  // effective number of at least 100 draws, standard errors are below 0.05.
  EXPECT_GT((1 / weights.pow(2).sum(1)).min().item<double>(), 100);
  EXPECT_LT((mean - torch::stack(exact)).abs().max().item<double>(), 0.15);
  // What images say is more than the prior does, and mean field sees it.
  const auto probabilities = latent::expectation(settled).to(torch::kFloat64);
  EXPECT_LT((probabilities - torch::stack(exact)).abs().mean().item<double>(),
            0.6 * (0.5 - torch::stack(exact)).abs().mean().item<double>());
}

TEST(ScoredDraws, OfBitsWithRealsAreDrawsOfTheirProposal) {
  const BitScene s("rbm+gaussian");
  const auto batch = s.scene.batch();
  const auto b = batch.size(), d = s.model->latent_dim();
  ASSERT_EQ(d, 8);
  const auto encoder = independent_posterior(6, torch::full({b, d}, 0.3), torch::full({b, d}, 0.5));
  const auto settled = mean_field(*s.model, batch, encoder, 5);
  EXPECT_TRUE(torch::isfinite(settled.mean).all().item<bool>());
  // No image makes a real latent wider than its prior, a standard normal here.
  EXPECT_LE(settled.log_std.max().item<double>(), 1e-6);
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(3);
  const auto draws = scored_draws(*s.model, batch, encoder, settled, 100, generator);
  const auto z = draws.latents.select(1, 60);
  const auto expected =
      torch::logaddexp(latent::log_density(encoder, z), latent::log_density(settled, z)) - std::log(2.0);
  EXPECT_LT((draws.log_proposal.select(1, 60) - expected).abs().max().item<double>(), 1e-4);
  EXPECT_TRUE(torch::isfinite(draws.log_ratio).all().item<bool>());
}
