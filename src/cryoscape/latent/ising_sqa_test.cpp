#include "cryoscape/latent/ising_sqa.hpp"

#include <gtest/gtest.h>

#include "cryoscape/latent/test_ising.hpp"

using namespace cryoscape;
using namespace cryoscape::latent;

namespace {

constexpr int kSpins = 5;
constexpr std::size_t kStates = 1 << kSpins;

using Matrix = std::vector<double>;

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c(kStates * kStates);
  for (std::size_t i = 0; i < kStates; ++i)
    for (std::size_t k = 0; k < kStates; ++k)
      for (std::size_t j = 0; j < kStates; ++j) c[i * kStates + j] += a[i * kStates + k] * b[k * kStates + j];
  return c;
}

/// Diagonal of a power of two of a matrix, normalised to sum 1.
std::vector<double> diagonal_of_power(Matrix m, int power) {
  for (; power > 1; power /= 2) m = product(m, m);
  std::vector<double> diagonal;
  double sum = 0;
  for (std::size_t i = 0; i < kStates; ++i) sum += m[i * kStates + i];
  for (std::size_t i = 0; i < kStates; ++i) diagonal.push_back(m[i * kStates + i] / sum);
  return diagonal;
}

/// Diagonal of e^{−βH}/Z, H = E − Γ Σ σˣ, by 2²⁰ factors 1 − βH/2²⁰ (error of order 2⁻²⁰).
std::vector<double> exact_diagonal(const IsingProblem& problem, double gamma) {
  constexpr int kFactors = 1 << 20;
  const double step = problem.beta / kFactors;
  Matrix m(kStates * kStates);
  for (std::size_t i = 0; i < kStates; ++i) {
    m[i * kStates + i] = 1 - step * ising_energy(problem, state_of(i, kSpins));
    for (int k = 0; k < kSpins; ++k) m[i * kStates + (i ^ (1u << k))] = step * gamma;
  }
  return diagonal_of_power(m, kFactors);
}

/// What P slices sample: the diagonal of (e^{−ΔE} e^{ΔΓΣσˣ})^P.
std::vector<double> trotter_diagonal(const IsingProblem& problem, double gamma, int slices) {
  const double step = problem.beta / slices, stay = std::cosh(step * gamma), flip = std::sinh(step * gamma);
  Matrix m(kStates * kStates);
  for (std::size_t i = 0; i < kStates; ++i)
    for (std::size_t j = 0; j < kStates; ++j) {
      const int flips = __builtin_popcountll(i ^ j);
      m[i * kStates + j] = std::exp(-step * ising_energy(problem, state_of(i, kSpins))) *
                           std::pow(flip, flips) * std::pow(stay, kSpins - flips);
    }
  return diagonal_of_power(m, slices);
}

std::vector<double> sampled(const IsingProblem& problem, double gamma, int slices, int count) {
  SqaSettings settings;
  settings.gamma = gamma, settings.slices = slices;
  return frequencies(SqaSampler(settings).sample(problem, count, 5));
}

}  // namespace

TEST(Sqa, SlicesFollowTheTrotterDistribution) {
  constexpr int kSamples = 40000;
  auto problem = glass(kSpins, 1, 2);
  problem.beta = 1.3;
  for (const int slices : {1, 2, 4, 16, 32}) {
    const auto p = trotter_diagonal(problem, 1, slices);
    EXPECT_LT(total_variation(sampled(problem, 1, slices, kSamples), p), noise_floor(p, kSamples)) << slices;
  }
}

// Of second order: half the step, a quarter of the error, here to 10 % at ΔΓ = 1/4.
TEST(Sqa, TrotterErrorFallsAsTheSquareOfTheStep) {
  const auto problem = glass(kSpins, 2, 2);
  const auto exact = exact_diagonal(problem, 2);
  const double coarse = total_variation(trotter_diagonal(problem, 2, 8), exact),
               fine = total_variation(trotter_diagonal(problem, 2, 16), exact);
  EXPECT_NEAR(coarse / fine, 4, 0.4);
  EXPECT_LT(coarse, 0.05);
}

TEST(Sqa, FollowsTheDiagonalOfTheQuantumState) {
  constexpr int kSamples = 40000;
  const auto problem = glass(kSpins, 3, 2);
  const auto exact = exact_diagonal(problem, 1);
  const double error = total_variation(trotter_diagonal(problem, 1, 16), exact);
  EXPECT_LT(error, 0.01);
  EXPECT_LT(total_variation(sampled(problem, 1, 16, kSamples), exact), error + noise_floor(exact, kSamples));
}

TEST(Sqa, WithoutTransverseFieldIsClassical) {
  constexpr int kSamples = 40000;
  const auto problem = glass(kSpins, 4);
  const auto p = enumerate(problem).probabilities;
  EXPECT_LT(total_variation(sampled(problem, 0, 8, kSamples), p), noise_floor(p, kSamples));
}

TEST(Sqa, AtAFiniteFieldIsNotClassical) {
  const auto problem = glass(kSpins, 4);
  EXPECT_GT(total_variation(sampled(problem, 1, 16, 20000), enumerate(problem).probabilities), 0.1);
}
