#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cryoscape/latent/bernoulli.hpp"
#include "cryoscape/latent/boltzmann.hpp"
#include "cryoscape/latent/dbm.hpp"
#include "cryoscape/latent/rbm.hpp"
#include "cryoscape/latent/rbm_hidden.hpp"
#include "cryoscape/util/test_names.hpp"

using namespace cryoscape::latent;

/// Priors of 8 to 10 bits against sums over all states.
namespace {

const auto kDouble = torch::TensorOptions(torch::kFloat64);

torch::Generator generator(std::uint64_t seed) { return torch::make_generator<at::CPUGeneratorImpl>(seed); }

PriorOptions options(const std::string& kind, int bits = 8) {
  PriorOptions o;
  o.kind = kind, o.bits = bits, o.dim = 2, o.hidden = 5, o.chains = 500;
  return o;
}

/// A prior with strong couplings and uneven biases, in float64.
std::shared_ptr<Prior> coupled_prior(const PriorOptions& o) {
  const auto prior = make_prior(o, 1);
  prior->to(torch::kFloat64);
  auto g = generator(2);
  torch::NoGradGuard no_grad;
  for (auto& p : prior->parameters()) p.copy_((p.dim() == 1 ? 0.5 : 0.8) * torch::randn(p.sizes(), g));
  return prior;
}

/// Negative log weights (2^n) of all states of the bits.
torch::Tensor all_energies(const Prior& prior) {
  torch::NoGradGuard no_grad;
  return prior.energy(binary_states(prior.bits(), kDouble));
}

/// KL(q‖p) (B) by enumeration, differentiable in the logits.
torch::Tensor exact_kl(const Prior& prior, const torch::Tensor& logits) {
  const auto states = binary_states(prior.bits(), kDouble);
  const auto l = logits.unsqueeze(1);
  const auto log_q = (states * l - torch::softplus(l)).sum(2);
  const auto log_p = torch::log_softmax(-all_energies(prior), 0);
  return (log_q.exp() * (log_q - log_p)).sum(1);
}

torch::Tensor formula_kl(Prior& prior, const Posterior& q) {
  return prior.cross_entropy(q, {}) - entropy(q) + prior.log_partition().value;
}

/// Total variation of drawn bits to the exact distribution, over what it is for independent draws on average.
double variation_over_floor(const Prior& prior, const torch::Tensor& z) {
  const auto n = static_cast<double>(z.size(0));
  const auto place = torch::pow(2.0, torch::arange(prior.bits(), kDouble));
  const auto index = z.to(torch::kFloat64).mv(place).to(torch::kInt64);
  const auto seen = torch::bincount(index, {}, std::int64_t{1} << prior.bits()).to(torch::kFloat64) / n;
  const auto p = torch::softmax(-all_energies(prior), 0);
  const double floor = 0.5 * torch::sqrt(2 * p * (1 - p) / std::numbers::pi / n).sum().item<double>();
  return 0.5 * (seen - p).abs().sum().item<double>() / floor;
}

double divergence(const Prior& truth, const Prior& learned) {
  const auto p = torch::log_softmax(-all_energies(truth), 0),
             l = torch::log_softmax(-all_energies(learned), 0);
  return (p.exp() * (p - l)).sum().item<double>();
}

class PairPriors : public testing::TestWithParam<std::string> {};
class HiddenPriors : public testing::TestWithParam<std::string> {};
class ChainPriors : public testing::TestWithParam<std::string> {};

}  // namespace

TEST_P(PairPriors, KlAndItsGradientAreExact) {
  const auto prior = coupled_prior(options(GetParam()));
  const auto logits = torch::randn({3, 8}, kDouble).requires_grad_();
  const auto kl = formula_kl(*prior, {8, logits, {}}), exact = exact_kl(*prior, logits);
  EXPECT_LT((kl - exact).abs().max().item<double>(), 1e-9);
  const auto gradient = [&](const torch::Tensor& x) { return torch::autograd::grad({x.sum()}, {logits})[0]; };
  EXPECT_LT((gradient(kl) - gradient(exact)).abs().max().item<double>(), 1e-9);
}

TEST_P(HiddenPriors, KlIsBoundedFromAboveAndExactForCertainBits) {
  const auto prior = coupled_prior(options(GetParam()));
  const auto logits = torch::randn({50, 8}, kDouble);
  const auto gap = formula_kl(*prior, {8, logits, {}}) - exact_kl(*prior, logits);
  EXPECT_GT(gap.min().item<double>(), 0);
  // Couplings of 0.8 are strong: the gap is a part of a nat per hidden bit.
  EXPECT_LT(gap.max().item<double>(), 2.5);
  const auto certain = 60 * (2 * torch::bernoulli(torch::full({50, 8}, 0.5, kDouble)) - 1);
  const auto left = formula_kl(*prior, {8, certain, {}}) - exact_kl(*prior, certain);
  EXPECT_GT(left.min().item<double>(), -1e-9);
  EXPECT_LT(left.max().item<double>(), GetParam() == "rbm-hidden" ? 1e-9 : 0.5);
}

TEST_P(HiddenPriors, EnergyIsThatOfTheSumOverHiddenUnits) {
  const auto prior = std::dynamic_pointer_cast<ChainPrior>(coupled_prior(options(GetParam())));
  torch::NoGradGuard no_grad;
  const auto hidden = prior->biases().size(0) - 8;
  const auto z = torch::bernoulli(torch::full({6, 8}, 0.5, kDouble));
  const auto states = binary_states(hidden, kDouble);
  for (std::int64_t k = 0; k < z.size(0); ++k) {
    const auto units = torch::cat({z.narrow(0, k, 1).expand({states.size(0), 8}), states}, 1);
    const double exact = -torch::logsumexp(-prior->joint_energy(units), 0).item<double>();
    EXPECT_NEAR(prior->energy(z)[k].item<double>(), exact, 1e-9);
  }
}

TEST_P(ChainPriors, LogPartitionIsTheSumOverStates) {
  const auto prior = coupled_prior(options(GetParam()));
  const auto found = prior->log_partition();
  EXPECT_TRUE(found.exact);
  EXPECT_NEAR(found.value, torch::logsumexp(-all_energies(*prior), 0).item<double>(), 1e-9);
}

TEST_P(ChainPriors, SamplesFollowTheDensity) {
  const auto prior = coupled_prior(options(GetParam()));
  auto g = generator(3);
  EXPECT_LT(variation_over_floor(*prior, prior->sample(100000, g)), 1.2);
}

TEST_P(ChainPriors, FieldsAreEnergyDifferences) {
  const auto prior = std::dynamic_pointer_cast<ChainPrior>(coupled_prior(options(GetParam())));
  if (!prior) return;
  torch::NoGradGuard no_grad;
  const auto units = torch::bernoulli(torch::full({20, prior->biases().size(0)}, 0.5, kDouble));
  const auto fields = prior->fields(units);
  for (std::int64_t i = 0; i < units.size(1); ++i) {
    auto on = units.clone(), off = units.clone();
    on.select(1, i).fill_(1), off.select(1, i).fill_(0);
    const auto difference = prior->joint_energy(off) - prior->joint_energy(on);
    EXPECT_LT((difference - fields.select(1, i)).abs().max().item<double>(), 1e-9) << i;
  }
}

TEST_P(ChainPriors, StartHasTheAggregatePosteriorsMeans) {
  const auto prior = make_prior(options(GetParam()), 1);
  auto g = generator(4);
  const auto wanted = torch::linspace(0.1, 0.9, 8);
  prior->after_warm_up(wanted.expand({50, 8}), torch::full({50, 8}, 0.3f), g);
  // Couplings of 0.01 shift means by some 0.01 at most.
  EXPECT_LT((prior->sample(20000, g).mean(0) - wanted).abs().max().item<double>(), 0.025);
}

TEST_P(ChainPriors, StartFromMotionsCouplesTheBitsThatMoveTogether) {
  const auto prior = make_prior(options(GetParam()), 1);
  if (prior->motions() == 0) return;
  auto participation = torch::zeros({8, 2});
  for (const auto bit : {0, 7}) participation[bit][0] = std::sqrt(0.5);
  for (const auto bit : {1, 6}) participation[bit][1] = std::sqrt(0.5);
  auto g = generator(9);
  prior->after_warm_up(torch::full({50, 8}, 0.5f), torch::full({50, 8}, 0.5f), g, participation);
  const auto z = prior->sample(20000, g);
  const auto correlation = torch::corrcoef(z.t());
  for (const auto& [i, j] : {std::pair{0, 7}, {1, 6}}) EXPECT_GT(correlation[i][j].item<double>(), 0.1);
  for (const auto& [i, j] : {std::pair{0, 1}, {0, 6}, {2, 7}, {3, 4}})
    EXPECT_NEAR(correlation[i][j].item<double>(), 0, 0.05);
  EXPECT_LT((z.mean(0) - 0.5).abs().max().item<double>(), 0.05);
}

TEST(Bipartite, AnnealedBracketContainsTheExactPartition) {
  auto g = generator(5);
  const BipartiteUnits m{0.5 * torch::randn({20}, g), torch::randn({10, 10}, g)};
  const auto chains = gibbs(m, torch::zeros({2000, 20}), 300, g);
  const double exact = log_partition(m, chains).value;
  const auto bracket = annealed_bracket(m, chains, 300, g);
  EXPECT_LT(bracket.lower, exact + 0.03);
  EXPECT_GT(bracket.upper, exact - 0.03);
  EXPECT_LT(bracket.upper - bracket.lower, 0.1);
}

TEST(Dense, AnnealedBracketContainsTheExactPartition) {
  auto g = generator(6);
  const auto above = torch::triu(0.7 * torch::randn({12, 12}, g), 1);
  const DenseUnits m{0.5 * torch::randn({12}, g), above + above.t()};
  const auto chains = gibbs(m, torch::zeros({2000, 12}), 300, g);
  const double exact = log_partition(m, chains).value;
  const auto bracket = annealed_bracket(m, chains, 300, g);
  EXPECT_LT(bracket.lower, exact + 0.03);
  EXPECT_GT(bracket.upper, exact - 0.03);
  EXPECT_LT(bracket.upper - bracket.lower, 0.1);
}

TEST(DeepBoltzmann, MeanFieldBoundsTheEnergyFromAbove) {
  const auto prior = std::dynamic_pointer_cast<DeepBoltzmann>(coupled_prior(options("dbm")));
  torch::NoGradGuard no_grad;
  const auto states = binary_states(8, kDouble);
  const auto gap = prior->mean_field_energy(prior->machine(), states) - prior->energy(states);
  EXPECT_GT(gap.min().item<double>(), -1e-5);
  EXPECT_LT(gap.mean().item<double>(), 0.3);
}

/// Learns from samples of a planted machine of the same kind; returns the KL at the start and at the end.
std::pair<double, double> recovery(const std::string& kind, const std::shared_ptr<Prior>& planted) {
  auto g = generator(7);
  const auto data = planted->sample(40000, g);
  auto o = options(kind, 10);
  o.sweeps = 5;  // strong couplings of few bits mix fast
  const auto learned = make_prior(o, 8);
  learned->to(torch::kFloat64);
  learned->after_warm_up(data, torch::zeros_like(data), g);
  const double start = divergence(*planted, *learned);
  const auto optimiser = learned->make_optimiser();
  for (int i = 0; i < 4000; ++i) {
    const auto batch = data.index({torch::randint(data.size(0), {256}, g, torch::kInt64)});
    optimiser->zero_grad();
    learned->contrast({10, torch::logit(batch, 1e-9), {}}, {batch, batch}, g).backward();
    optimiser->step();
  }
  return {start, divergence(*planted, *learned)};
}

TEST(PairMachines, RecoverAPlantedMachine) {
  for (const std::string kind : {"rbm", "boltzmann"}) {
    const auto [start, end] = recovery(kind, coupled_prior(options(kind, 10)));
    EXPECT_GT(start, 0.1) << kind;
    EXPECT_LT(end, 0.01) << kind;
  }
}

// Hidden units first have to find their places, so that the planted bits get strong couplings, with which
// every unit is as often 0 as 1.
TEST(HiddenMachines, LearnMostOfAPlantedMachine) {
  const auto planted = std::dynamic_pointer_cast<ChainPrior>(coupled_prior(options("rbm-hidden", 10)));
  const auto w = (2.5 * planted->couplings()).detach();
  planted->set_parameters(-0.5 * torch::cat({w.sum(1), w.sum(0)}), w);
  for (const std::string kind : {"rbm-hidden", "dbm"}) {
    const auto [start, end] = recovery(kind, planted);
    EXPECT_GT(start, 0.5) << kind;
    EXPECT_LT(end, 0.15 * start) << kind;
  }
}

INSTANTIATE_TEST_SUITE_P(All, PairPriors, testing::Values("bernoulli", "rbm", "boltzmann"),
                         cryoscape::parameter_name);
INSTANTIATE_TEST_SUITE_P(All, HiddenPriors, testing::Values("rbm-hidden", "dbm"), cryoscape::parameter_name);
INSTANTIATE_TEST_SUITE_P(All, ChainPriors,
                         testing::Values("bernoulli", "rbm", "rbm-hidden", "boltzmann", "dbm"),
                         cryoscape::parameter_name);
