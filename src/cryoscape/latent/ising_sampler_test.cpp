#include "cryoscape/latent/ising_sampler.hpp"

#include <gtest/gtest.h>

#include "cryoscape/latent/ising_chains.hpp"
#include "cryoscape/latent/ising_correction.hpp"
#include "cryoscape/latent/test_ising.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/test_error.hpp"
#include "cryoscape/util/test_names.hpp"

using namespace cryoscape;
using namespace cryoscape::latent;

namespace {

constexpr int kSpins = 10, kSamples = 20000;

std::unique_ptr<IsingSampler> sampler(const std::string& name) {
  IsingOptions options;
  options.sampler = name;
  if (name == "simcim" || name == "cim") options.sweeps = 200;
  return make_ising_sampler(options);
}

class EverySampler : public testing::TestWithParam<std::string> {};

}  // namespace

// Equilibrium samplers as they are, the others after their correction.
TEST_P(EverySampler, FollowsTheEnumeratedDistribution) {
  auto problem = glass(kSpins, 11);
  problem.beta = 0.9;
  const auto p = enumerate(problem).probabilities;
  const auto made = sampler(GetParam());
  const auto result = draw_samples(*made, problem, kSamples, 12);
  EXPECT_EQ(result.samples.count(), kSamples);
  EXPECT_LT(total_variation(frequencies(result.samples), p), noise_floor(p, kSamples));
  EXPECT_NEAR(result.samples.beta_effective, 1, 5 * result.samples.beta_error);
  EXPECT_EQ(result.correction_sweeps.has_value(), !made->equilibrium());
  EXPECT_EQ(result.raw_beta_effective.has_value(), !made->equilibrium());
}

TEST_P(EverySampler, IsDeterministicForAnyNumberOfThreads) {
  const auto problem = glass(7, 13);
  const auto drawn = [&](int threads, std::uint64_t seed) {
    const int before = thread_count();
    set_thread_count(threads);
    auto samples = sampler(GetParam())->sample(problem, 90, seed);
    set_thread_count(before);
    return samples.values;
  };
  const auto values = drawn(1, 14);
  EXPECT_EQ(values, drawn(3, 14));
  // A machine that finds the ground state finds it from every seed.
  EXPECT_TRUE(GetParam() == "cim" || values != drawn(1, 15));
}

TEST_P(EverySampler, TakesOneSpinAndOneSample) {
  const IsingProblem problem{{0.4}, {}};
  const auto result = draw_samples(*sampler(GetParam()), problem, 1, 16);
  EXPECT_EQ(result.samples.values.size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(All, EverySampler, testing::ValuesIn(ising_sampler_names()), parameter_name);

TEST(MakeIsingSampler, NamesTheChoices) {
  EXPECT_THROW(sampler("annealer"), UsageError);
  const auto message = error_of([] { sampler("annealer"); });
  EXPECT_NE(message.find("'annealer', but must be one of: exact, gibbs,"), std::string::npos) << message;
  EXPECT_THROW(sampler("external: "), UsageError);
}

TEST(DrawSamples, LeavesRawSamplesAsTheyAre) {
  const auto problem = glass(kSpins, 17);
  const auto raw = draw_samples(*sampler("cim"), problem, 100, 18, true);
  EXPECT_FALSE(raw.correction_sweeps);
  EXPECT_EQ(raw.samples.values, sampler("cim")->sample(problem, 100, 18).values);
}

TEST(ColouredGibbs, FollowsTheEnumeratedDistributionOfABipartiteMachine) {
  auto problem = glass(kSpins, 19, 3);
  std::erase_if(problem.couplings, [](const Coupling& c) { return (c.i < 5) == (c.j < 5); });
  const auto p = enumerate(problem).probabilities;
  IsingOptions options;
  options.order = "coloured";
  const auto samples = make_ising_sampler(options)->sample(problem, kSamples, 20);
  EXPECT_LT(total_variation(frequencies(samples), p), noise_floor(p, kSamples));
}

// ln Z is a sum of logarithms of means over the population: between seeds it varies, and the spread of 12
// runs says by how much one may be off.
TEST(PopulationAnnealing, EstimatesThePartition) {
  const auto problem = glass(14, 21, 2);
  const double exact = enumerate(problem).log_partition;
  constexpr int kRuns = 12;
  double sum = 0, squares = 0;
  for (int k = 0; k < kRuns; ++k) {
    const auto samples =
        sampler("population-annealing")->sample(problem, 1000, static_cast<std::uint64_t>(k));
    const double error = *samples.log_partition - exact;
    sum += error / kRuns;
    squares += error * error / kRuns;
  }
  EXPECT_LT(std::sqrt(squares), 0.1);
  EXPECT_LT(std::abs(sum), 4 * std::sqrt((squares - sum * sum) / kRuns) + 0.5 * squares);
}

TEST(CoherentMachine, FindsTheGroundStatesOfGlassesWithoutFields) {
  constexpr int kGlasses = 10;
  int found = 0;
  for (std::uint64_t seed = 0; seed < kGlasses; ++seed) {
    const auto problem = glass(kSpins, 30 + seed, 1.5, 0);
    const auto p = enumerate(problem).probabilities;
    const double ground = *std::max_element(p.begin(), p.end());
    IsingOptions options;
    options.sampler = "cim";
    const auto at = frequencies(make_ising_sampler(options)->sample(problem, 64, seed));
    double share = 0;
    for (std::size_t k = 0; k < p.size(); ++k) share += p[k] > 0.999 * ground ? at[k] : 0;
    found += share > 0.5;
  }
  // Some glasses hold it back.
  EXPECT_GE(found, kGlasses - 2);
}

// Samples that all start in the ground state: twenty sweeps do not mix them, the correction does.
TEST(Corrected, MixesSamplesFromOneGroundState) {
  constexpr int kChains = 5000;
  const auto problem = glass(kSpins, 40, 2.5);
  const auto p = enumerate(problem).probabilities;
  const auto ground =
      state_of(static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin()), kSpins);
  IsingSamples raw{kSpins, {}, 1, 0, std::nullopt};
  for (int k = 0; k < kChains; ++k) raw.values.insert(raw.values.end(), ground.begin(), ground.end());
  IsingChains chains(kSpins, kChains, 41);
  chains.set(raw.values);
  chains.sweep(IsingGraph(problem), problem.beta, 20);
  IsingSamples swept = raw;
  swept.values = chains.states();
  EXPECT_GT(total_variation(frequencies(swept), p), 2 * noise_floor(p, kChains));
  const auto better = corrected(problem, raw, 41, 1 << 16);
  EXPECT_LT(total_variation(frequencies(better.samples), p), noise_floor(p, kChains));
}

TEST(Corrected, SaysWhenItDoesNotGetThere) {
  // Two spins that flip together about once in e^{40} sweeps.
  const IsingProblem problem{{0.01, 0}, {{0, 1, 20}}};
  const IsingSamples raw{2, {1, 1, -1, -1}, 1, 0, std::nullopt};
  const auto message = error_of([&] { corrected(problem, raw, 1, 256); });
  EXPECT_NE(message.find("not corrected after 256 Gibbs sweeps (split-R-hat of energies"), std::string::npos)
      << message;
  EXPECT_NE(message.find("--correction-limit"), std::string::npos);
}
