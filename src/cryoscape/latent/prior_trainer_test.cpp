#include "cryoscape/latent/prior_trainer.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "cryoscape/util/test_error.hpp"

using namespace cryoscape::latent;

namespace {

torch::Generator generator(std::uint64_t seed) { return torch::make_generator<at::CPUGeneratorImpl>(seed); }

std::shared_ptr<Prior> started_mixture() {
  PriorOptions options;
  options.kind = "mixture", options.dim = 2, options.components = 2;
  auto prior = make_prior(options, 1);
  auto g = generator(2);
  prior->after_warm_up(torch::randn({200, 2}, g), torch::full({200, 2}, 0.5f), g);
  return prior;
}

Sample batch(float scale) {
  auto g = generator(3);
  const auto z = scale * torch::randn({32, 2}, g);
  return {z, z};
}

std::vector<torch::Tensor> copies(const Prior& prior) {
  std::vector<torch::Tensor> out;
  for (const auto& p : prior.parameters()) out.push_back(p.detach().clone());
  return out;
}

double distance(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]).pow(2).sum().item<double>();
  return std::sqrt(sum);
}

}  // namespace

TEST(PriorTrainer, LeavesOutStepsThatAreNotFiniteAndSaysWhenThereAreOnlySuch) {
  auto prior = started_mixture();
  auto g = generator(5);
  PriorTrainer trainer(*prior);
  const auto before = copies(*prior);
  const auto broken = batch(std::numeric_limits<float>::quiet_NaN());
  for (int i = 1; i < PriorTrainer::kMostLeftOut; ++i) trainer.step({}, broken, g);
  EXPECT_EQ(distance(before, copies(*prior)), 0);
  trainer.step({}, batch(1), g);
  const auto after = copies(*prior);
  EXPECT_GT(distance(before, after), 0);
  for (int i = 1; i < PriorTrainer::kMostLeftOut; ++i) trainer.step({}, broken, g);
  const auto error = cryoscape::error_of([&] { trainer.step({}, broken, g); });
  EXPECT_NE(error.find("the prior diverged"), std::string::npos) << error;
  EXPECT_EQ(distance(after, copies(*prior)), 0);
}

TEST(PriorTrainer, WeightedDrawsCorrectTheNegativePhase) {
  auto prior = started_mixture();
  auto g = generator(7);
  const auto draws = prior->sample(500, g);
  // A factor that forbids the right half.
  const auto allowed = (draws.select(1, 0) < 0).to(torch::kFloat32);
  const auto weights = allowed / allowed.sum();
  const auto share = [&] {
    auto h = generator(8);
    return (prior->sample(4000, h).select(1, 0) < 0).to(torch::kFloat64).mean().item<double>();
  };
  const double before = share();
  PriorTrainer trainer(*prior);
  // Data as the prior has them: the product lacks the right half, so the prior must grow there.
  for (int i = 0; i < 100; ++i) trainer.step({}, {draws, draws}, g, draws, weights);
  EXPECT_LT(share(), before - 0.02);
}

TEST(PriorTrainer, APriorWithoutParametersStays) {
  auto prior = make_prior({}, 1);
  auto g = generator(6);
  PriorTrainer trainer(*prior);
  trainer.step({}, batch(1), g);
  EXPECT_EQ(trainer.optimiser(), nullptr);
}
