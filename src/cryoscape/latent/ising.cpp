#include "cryoscape/latent/ising.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cryoscape/util/error.hpp"

namespace cryoscape::latent {
namespace {

constexpr double kLargest = 1e30;

bool usable(double value) { return std::abs(value) < kLargest; }

void check_no_pair_twice(const IsingProblem& problem) {
  std::vector<std::pair<int, int>> pairs;
  pairs.reserve(problem.couplings.size());
  for (const auto& c : problem.couplings) pairs.emplace_back(c.i, c.j);
  std::sort(pairs.begin(), pairs.end());
  const auto twice = std::adjacent_find(pairs.begin(), pairs.end());
  if (twice != pairs.end())
    fail("Ising problem: the coupling of spins {} and {} is given twice", twice->first, twice->second);
}

}  // namespace

void check(const IsingProblem& problem) {
  if (problem.fields.empty()) fail("Ising problem: there are no spins");
  if (!(problem.beta > 0 && usable(problem.beta)))
    fail("Ising problem: beta is {}, but must be a positive number", problem.beta);
  for (std::size_t i = 0; i < problem.fields.size(); ++i)
    if (!usable(problem.fields[i]))
      fail("Ising problem: the field of spin {} is {}, which is no usable number", i, problem.fields[i]);
  for (const auto& c : problem.couplings) {
    if (c.i < 0 || c.j >= problem.spins() || c.i >= c.j)
      fail("Ising problem: a coupling of spins {} and {}, but pairs are i < j of 0 to {}", c.i, c.j,
           problem.spins() - 1);
    if (!usable(c.value))
      fail("Ising problem: the coupling of spins {} and {} is {}, which is no usable number", c.i, c.j,
           c.value);
  }
  check_no_pair_twice(problem);
}

double ising_energy(const IsingProblem& problem, std::span<const std::int8_t> spins) {
  double sum = 0;
  for (std::size_t i = 0; i < problem.fields.size(); ++i) sum += problem.fields[i] * spins[i];
  for (const auto& c : problem.couplings) sum += c.value * spins[c.i] * spins[c.j];
  return -sum;
}

}  // namespace cryoscape::latent
