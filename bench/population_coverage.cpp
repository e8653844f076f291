#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>

#include "cryoscape/inference/test_populations.hpp"

// How often 95 % intervals of populations and barriers hold the truth, over simulated likelihood tables.
//   population_coverage PROFILE [SEEDS [PARTICLES [RESAMPLES]]]
// PROFILE: a CSV file of position and energy, or "two-states".

using namespace cryoscape;
using namespace cryoscape::inference;

namespace {

/// The truth of two states.
struct Truth {
  KnownEnergy energy;
  double population = 0;  ///< of the second state
  double barrier = 0;     ///< above the deeper minimum, kT
};

Truth truth_of(const std::string& profile) {
  Truth truth{profile == "two-states" ? two_states(0.3, 0.25, 0.75, 0.1) : read_known_energy(profile)};
  const auto& e = truth.energy.energy;
  const auto middle = e.begin() + static_cast<std::ptrdiff_t>(e.size() / 2);
  const auto first = std::min_element(e.begin(), middle);
  const auto last = std::min_element(middle + static_cast<std::ptrdiff_t>(e.size() / 10), e.end());
  const auto top = std::max_element(first, last);
  truth.population = truth.energy.share_above(truth.energy.at(static_cast<std::size_t>(top - e.begin())));
  truth.barrier = *top - std::min(*first, *last);
  return truth;
}

/// Hits and errors of one kind of number.
struct Coverage {
  int hits = 0, all = 0;
  double bias = 0, square = 0, error = 0;

  void add(const Estimate& e, double truth) {
    ++all, hits += e.low <= truth && truth <= e.high;
    bias += e.value - truth, square += (e.value - truth) * (e.value - truth), error += e.error;
  }
  void print(const char* name) const {
    fmt::print("{}: {} of {} intervals hold the truth; bias {:.4f}, r.m.s. error {:.4f}, mean bar {:.4f}\n",
               name, hits, all, bias / all, std::sqrt(square / all), error / all);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int k, int standard) { return argc > k ? std::atoi(argv[k]) : standard; };
  const auto truth = truth_of(argc > 1 ? argv[1] : "two-states");
  const int seeds = number(2, 200), particles = number(3, 5000), resamples = number(4, 100);
  fmt::print("population {:.4f}, barrier {:.3f} kT\n", truth.population, truth.barrier);
  Coverage population, barrier;
  double rms = 0;
  int other = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int seed = 1; seed <= seeds; ++seed) {
    Philox random(static_cast<std::uint64_t>(seed));
    const auto positions = draw_positions(truth.energy, static_cast<std::size_t>(particles), random);
    const auto table = simulate_table(positions, 51, 0.25, random);
    FreeEnergyOptions options;
    options.resamples = static_cast<std::size_t>(resamples), options.seed = static_cast<std::uint64_t>(seed);
    const auto f = bootstrap(population_table(table, even_nodes(51)), options);
    rms += free_energy_rms(f.fit.density, truth.energy.density(f.energy.size())) / seeds;
    if (f.states.size() != 2) {
      ++other;
      continue;
    }
    population.add(f.states[1].population, truth.population);
    barrier.add(f.barriers[0].energy, truth.barrier);
  }
  population.print("population"), barrier.print("barrier");
  fmt::print("another number of states: {} of {}; F r.m.s. {:.3f} kT; {:.2f} s a landscape\n", other, seeds,
             rms, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / seeds);
}
