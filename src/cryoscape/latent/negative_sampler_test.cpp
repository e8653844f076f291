#include "cryoscape/latent/negative_sampler.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/latent/chain_prior.hpp"
#include "cryoscape/util/test_error.hpp"

using namespace cryoscape::latent;

namespace {

torch::Generator generator(std::uint64_t seed) { return torch::make_generator<at::CPUGeneratorImpl>(seed); }

std::shared_ptr<Prior> prior_with(const std::string& kind, const std::string& sampler) {
  PriorOptions o;
  o.kind = kind, o.bits = 6, o.dim = 2, o.hidden = 3, o.chains = 4000, o.sampler = sampler;
  auto prior = make_prior(o, 1);
  auto g = generator(2);
  prior->after_warm_up(torch::rand({500, prior->dim()}, g), torch::full({500, prior->dim()}, 0.3), g);
  torch::NoGradGuard no_grad;
  for (auto& p : prior->parameters()) p.copy_(0.5 * torch::randn(p.sizes(), g));
  return prior;
}

std::vector<torch::Tensor> gradients(Prior& prior, std::uint64_t seed) {
  auto g = generator(seed);
  auto z = torch::rand({64, prior.dim()}, g);
  z.narrow(1, 0, prior.bits()).round_();
  Posterior q{prior.bits(), z.clone(), torch::full({64, prior.dim() - prior.bits()}, -3)};
  q.logits().copy_(20 * (q.logits() - 0.5));
  prior.zero_grad();
  prior.contrast(q, {z, z}, g).backward();
  std::vector<torch::Tensor> out;
  for (const auto& p : prior.parameters()) out.push_back(p.grad().clone());
  return out;
}

}  // namespace

TEST(NegativeSampler, DrawsTheMachinesStates) {
  auto g = generator(1);
  const auto above = torch::triu(torch::randn({6, 6}, g), 1);
  const DenseUnits machine{torch::randn({6}, g), above + above.t()};
  const auto states = binary_states(6, torch::kFloat32);
  const auto p = torch::softmax(-energy(machine, states), 0);
  for (const std::string name : {"exact", "parallel-tempering", "simulated-annealing"}) {
    NegativeSampler sampler(name);
    const auto z = sampler.draw(machine, 20000, g);
    const auto exact = p.unsqueeze(0).mm(states).squeeze(0);
    // Chains of tempering and correction are correlated: four standard errors of 2,000 draws.
    EXPECT_LT((z.mean(0) - exact).abs().max().item<double>(), 4 * 0.5 / std::sqrt(2000.0)) << name;
    nlohmann::json record;
    sampler.record(record);
    EXPECT_NEAR(record["sampler_beta_effective"].get<double>(), 1, 0.1) << name;
    EXPECT_EQ(record.contains("sampler_raw_beta_effective"), name == "simulated-annealing");
  }
}

TEST(NegativeSampler, GivesTheGradientOfPersistentChains) {
  for (const std::string kind : {"gbrbm", "rbm", "rbm-hidden", "boltzmann", "dbm", "rbm+gaussian"}) {
    const auto chains = gradients(*prior_with(kind, "gibbs"), 3),
               sampler = gradients(*prior_with(kind, "exact"), 3);
    ASSERT_EQ(chains.size(), sampler.size());
    for (std::size_t i = 0; i < chains.size(); ++i) {
      // Five standard errors of the difference of two averages over 4,000 products of latents, whose own
      // deviations are 1 to 3 for real ones.
      const double tolerance = 5 * (kind == "gbrbm" ? 3 : 0.5) * std::sqrt(2 / 4000.0);
      EXPECT_LT((chains[i] - sampler[i]).abs().max().item<double>(), tolerance) << kind << " " << i;
    }
  }
}

TEST(NegativeSampler, NamesWhatItCannotDo) {
  PriorOptions o;
  o.kind = "qbm", o.sampler = "sqa";
  EXPECT_EQ(cryoscape::error_of([&] { make_prior(o, 1); }),
            "--sampler sqa does not go with --prior qbm, but with one of: gbrbm, rbm, rbm-hidden, boltzmann, "
            "dbm, rbm+gaussian");
  o.kind = "rbm", o.sampler = "dice";
  EXPECT_NE(cryoscape::error_of([&] { make_prior(o, 1); }).find("--sampler is 'dice'"), std::string::npos);
}
