#include "cryoscape/latent/ising.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "cryoscape/latent/ising_bits.hpp"
#include "cryoscape/latent/test_ising.hpp"
#include "cryoscape/util/test_error.hpp"

using namespace cryoscape;
using namespace cryoscape::latent;

namespace {

double bit_energy(const BitEnergy& e, const std::vector<std::int8_t>& spins) {
  const auto z = [&](int i) { return (spins[i] + 1) / 2; };
  double sum = 0;
  for (int i = 0; i < static_cast<int>(e.biases.size()); ++i) sum -= e.biases[i] * z(i);
  for (const auto& w : e.weights) sum -= w.value * z(w.i) * z(w.j);
  return sum;
}

std::string error_of_problem(const std::vector<double>& fields, const std::vector<Coupling>& couplings,
                             double beta = 1) {
  return error_of([&] { check({fields, couplings, beta}); });
}

}  // namespace

TEST(IsingEnergy, IsTheSumOverFieldsAndPairs) {
  const IsingProblem problem{{0.5, -1, 2}, {{0, 1, 3}, {1, 2, -0.25}}};
  EXPECT_EQ(ising_energy(problem, std::vector<std::int8_t>{1, 1, 1}), -(1.5 + 2.75));
  EXPECT_EQ(ising_energy(problem, std::vector<std::int8_t>{1, -1, 1}), -(3.5 - 3 + 0.25));
}

TEST(IsingCheck, AcceptsProblemsWithoutFieldsOrCouplings) {
  EXPECT_EQ(error_of([] { check(glass(6, 1)); }), "");
  EXPECT_EQ(error_of_problem({0}, {}), "");
}

TEST(IsingCheck, NamesWhatIsWrong) {
  const double infinite = std::numeric_limits<double>::infinity(),
               nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(error_of_problem({}, {}), "Ising problem: there are no spins");
  EXPECT_EQ(error_of_problem({0, nan}, {}),
            "Ising problem: the field of spin 1 is nan, which is no usable number");
  EXPECT_EQ(error_of_problem({0, 0}, {{0, 1, infinite}}),
            "Ising problem: the coupling of spins 0 and 1 is inf, which is no usable number");
  for (const Coupling& c : {Coupling{1, 0, 1}, {0, 2, 1}, {-1, 1, 1}, {1, 1, 1}})
    EXPECT_NE(error_of_problem({0, 0}, {c}).find("pairs are i < j of 0 to 1"), std::string::npos);
  EXPECT_EQ(error_of_problem({0, 0, 0}, {{0, 1, 1}, {1, 2, 1}, {0, 1, 2}}),
            "Ising problem: the coupling of spins 0 and 1 is given twice");
  for (const double beta : {0.0, -1.0, infinite, nan})
    EXPECT_NE(error_of_problem({0}, {}, beta).find("must be a positive number"), std::string::npos);
}

TEST(IsingBits, EnergiesAreEqualInAllStates) {
  BitEnergy bits{{}, glass(8, 3).couplings};
  Philox random(4);
  for (int i = 0; i < 8; ++i) bits.biases.push_back(random.normal());
  const auto spins = to_spins(bits);
  for (std::size_t k = 0; k < 256; ++k) {
    const auto state = state_of(k, 8);
    EXPECT_NEAR(ising_energy(spins.problem, state) + spins.constant, bit_energy(bits, state), 1e-12);
  }
}

TEST(IsingBits, ThereAndBackIsTheSameProblem) {
  const auto problem = glass(7, 5);
  const auto back = to_spins(to_bits(problem)).problem;
  for (std::size_t i = 0; i < 7; ++i) EXPECT_NEAR(back.fields[i], problem.fields[i], 1e-12);
  for (std::size_t k = 0; k < problem.couplings.size(); ++k)
    EXPECT_NEAR(back.couplings[k].value, problem.couplings[k].value, 1e-15);
}

TEST(IsingExact, ProbabilitiesAndPartitionAreTheSumOverStates) {
  auto problem = glass(9, 6);
  problem.beta = 0.7;
  const auto exact = enumerate(problem);
  double partition = 0, sum = 0;
  for (std::size_t k = 0; k < 512; ++k) partition += std::exp(-0.7 * ising_energy(problem, state_of(k, 9)));
  EXPECT_NEAR(exact.log_partition, std::log(partition), 1e-12);
  for (std::size_t k = 0; k < 512; ++k) {
    const double p = std::exp(-0.7 * ising_energy(problem, state_of(k, 9))) / partition;
    EXPECT_NEAR(exact.probabilities[k], p, 1e-12);
    sum += exact.probabilities[k];
  }
  EXPECT_NEAR(sum, 1, 1e-12);
}

TEST(IsingExact, StrongEnergiesDoNotOverflow) {
  const IsingProblem problem{{1, 0}, {{0, 1, 2}}, 1000};
  const auto exact = enumerate(problem);
  EXPECT_NEAR(exact.log_partition, 3000, 1e-9);
  EXPECT_NEAR(exact.probabilities[3], 1, 1e-12);
}

TEST(IsingExact, RefusesMoreSpinsThanCanBeEnumerated) {
  const IsingProblem problem{std::vector<double>(25), {}};
  EXPECT_EQ(error_of([&] { enumerate(problem); }),
            "25 spins are too many to enumerate: at most 24 (use another sampler, e.g. gibbs)");
}
