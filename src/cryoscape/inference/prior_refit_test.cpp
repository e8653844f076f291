#include "cryoscape/inference/prior_refit.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/inference/mixture_fit.hpp"
#include "cryoscape/inference/test_expansions.hpp"
#include "cryoscape/latent/partition.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::inference {
namespace {

/// A minor state of 5 %, with the noise of particles at SNR 0.01 along a path: 0.09.
GaussianMixture double_well() {
  const auto well = [](double weight, double place) {
    return GaussianComponent{weight, Eigen::VectorXd::Constant(1, place),
                             Eigen::MatrixXd::Constant(1, 1, 0.0049)};
  };
  return {well(0.95, 0.25), well(0.05, 0.75)};
}

std::shared_ptr<latent::Prior> prior_of(const std::string& kind, int dim) {
  latent::PriorOptions o;
  o.kind = kind, o.dim = dim, o.components = 4, o.hidden = 2, o.bits = dim, o.chains = 200;
  return latent::make_prior(o, 1);
}

/// Population right of the middle.
double minor(latent::Prior& prior) {
  auto g = torch::make_generator<at::CPUGeneratorImpl>(5);
  return (prior.sample(20000, g) > 0.5).to(torch::kFloat64).mean().item<double>();
}

class DoubleWell : public testing::TestWithParam<std::string> {};

}  // namespace

TEST_P(DoubleWell, IsFoundThroughTheNoise) {
  const auto e = measured_particles(double_well(), 3000, 1, 0.09, 4);
  const auto prior = prior_of(GetParam(), 1);
  RefitOptions options;
  options.rounds = 6;
  const auto report = refit_prior(*prior, e, options);
  EXPECT_NEAR(minor(*prior), 0.05, 0.02);
  EXPECT_TRUE(report.changed);
  EXPECT_GT(report.gain.value, 5 * report.gain.error);
  EXPECT_EQ(*report.reference_components, 2u);
  // The reference's form is the truth's.
  EXPECT_GT(report.over_reference->value, -3 * report.over_reference->error - 0.02);
  const auto json = to_json(report);
  EXPECT_EQ(json["particles"], 3000);
  EXPECT_TRUE(json["log_partition_exact"]);
}

INSTANTIATE_TEST_SUITE_P(Priors, DoubleWell, testing::Values("mixture", "gbrbm"),
                         [](const auto& info) { return info.param; });

TEST(RefitPrior, APriorWithoutParametersIsOnlyAssessed) {
  const GaussianMixture normal{standard_normal(2)};
  const auto e = measured_particles(normal, 400, 2, 0.5, 5);
  const auto prior = prior_of("gaussian", 2);
  const auto report = refit_prior(*prior, e, {});
  EXPECT_FALSE(report.changed);
  EXPECT_EQ(report.gain.value, 0);
  const auto exact = log_marginals(normal, e);
  double training = 0, n = 0;
  for (const double x : exact) training += x, n += 1;
  const double all = (report.training * static_cast<double>(400 - report.held_out_particles) +
                      report.after.value * static_cast<double>(report.held_out_particles)) /
                     400;
  EXPECT_NEAR(all, training / n, 0.01);  // 64 draws under nearly the same base
}

TEST(RefitPrior, AMachineOfBitsIsFoundThroughAChannel) {
  // Bits that a channel turns over with probability 0.2. All states are stored, so evidence is exact.
  constexpr std::int64_t kBits = 8;
  constexpr std::uint32_t kParticles = 3000, kStates = 1 << kBits;
  const auto truth = prior_of("rbm", kBits), prior = prior_of("rbm", kBits);
  auto g = torch::make_generator<at::CPUGeneratorImpl>(7);
  {
    torch::NoGradGuard no_grad;
    for (auto& p : truth->parameters()) p.copy_(1.2 * torch::randn(p.sizes(), g));
  }
  const auto states = latent::binary_states(kBits, torch::kFloat32).contiguous();
  const auto distance = torch::cdist(states, states, 1.0).to(torch::kFloat64);
  const auto log_channel = distance * std::log(0.2) + (kBits - distance) * std::log(0.8);
  const auto log_probabilities = [&](const latent::Prior& p) {
    return torch::log_softmax(-p.energy(states).detach().to(torch::kFloat64), 0);
  };
  const auto log_truth = log_probabilities(*truth);
  const auto log_seen = torch::logsumexp(log_channel + log_truth, 1);  // what bits look like, exactly
  const auto seen = torch::multinomial(log_seen.exp(), kParticles, true, g);
  ScoredDraws draws;
  draws.dim = kBits;
  const std::vector<float> all(states.data_ptr<float>(), states.data_ptr<float>() + states.numel());
  for (std::uint32_t i = 0; i < kParticles; ++i) {
    const auto scores = log_channel[seen[i].item<std::int64_t>()].to(torch::kFloat32).contiguous();
    draws.particle.insert(draws.particle.end(), kStates, i);
    draws.latent.insert(draws.latent.end(), all.begin(), all.end());
    draws.log_ratio.insert(draws.log_ratio.end(), scores.data_ptr<float>(),
                           scores.data_ptr<float>() + kStates);
    draws.log_proposal.insert(draws.log_proposal.end(), kStates, -std::log(static_cast<float>(kStates)));
  }
  RefitOptions options;
  options.rounds = 0;
  const auto of_truth = refit_prior(*truth, draws, options);
  EXPECT_NEAR(of_truth.training, (log_seen.exp() * log_seen).sum().item<double>(), 0.1);
  options.rounds = 40;
  const auto report = refit_prior(*prior, draws, options);
  EXPECT_GT(report.gain.value, 3 * report.gain.error);
  // 24 parameters cost 24/2n nats, several times that through the channel.
  EXPECT_NEAR(report.after.value, of_truth.after.value, 0.04);
  const auto divergence_to = [&](const torch::Tensor& log_q) {
    return (log_truth.exp() * (log_truth - log_q)).sum().item<double>();
  };
  EXPECT_LT(divergence_to(log_probabilities(*prior)), 0.33 * divergence_to(log_seen));
}

TEST(RefitPrior, SaysWhatDoesNotFit) {
  const auto e = measured_particles(three_wells(2), 10, 2, 0.4, 9);
  EXPECT_NE(error_of([&] { refit_prior(*prior_of("rbm", 8), e, {}); }).find("needs scored draws"),
            std::string::npos);
  EXPECT_NE(error_of([&] { refit_prior(*prior_of("gbrbm", 3), e, {}); }).find("have 2 latent dimensions"),
            std::string::npos);
  const auto one = measured_particles(three_wells(2), 1, 2, 0.4, 9);
  EXPECT_NE(error_of([&] { refit_prior(*prior_of("mixture", 2), one, {}); }).find("1 particles are too few"),
            std::string::npos);
}

TEST(ImageGroups, ParticlesOfOneImageAreOneGroup) {
  particles::ParticleSet set;
  set.particles.resize(4);
  set.particles[1].slice = 1, set.particles[3].slice = 1;
  set.particles[2].stack = 1;
  EXPECT_EQ(image_groups(set), (std::vector<std::uint32_t>{0, 1, 2, 1}));
}

}  // namespace cryoscape::inference
