// Gibbs sampling of persistent chains, in spin updates per second: the sweep kernel, its plain twin, and the
// block sampler of the rbm prior in libtorch.
#include <benchmark/benchmark.h>

#include <cmath>

#include "cryoscape/latent/ising_chains.hpp"
#include "cryoscape/latent/rbm.hpp"
#include "cryoscape/torch.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::latent;

namespace {

constexpr int kChains = 1024, kSweeps = 5;

/// Couplings between all pairs, or between the two halves.
IsingProblem machine(int spins, bool bipartite) {
  Philox random(1);
  IsingProblem problem{std::vector<double>(static_cast<std::size_t>(spins)), {}};
  for (int i = 0; i < spins; ++i)
    for (int j = i + 1; j < spins; ++j)
      if (!bipartite || (i < spins / 2 && j >= spins / 2))
        problem.couplings.push_back({i, j, random.normal() / std::sqrt(spins)});
  return problem;
}

void report(benchmark::State& state, int spins, int chains, int sweeps) {
  const double updates = static_cast<double>(state.iterations()) * spins * chains * sweeps;
  state.counters["updates"] = benchmark::Counter(updates, benchmark::Counter::kIsRate);
}

/// A trainer's negative phase: new couplings, and the states of all chains copied in and out.
void chains(benchmark::State& state) {
  const int spins = static_cast<int>(state.range(0));
  const auto problem = machine(spins, state.range(1) != 0);
  IsingChains all(spins, kChains, 1);
  auto states = all.states();
  for (auto _ : state) {
    const IsingGraph graph(problem);
    all.set(states);
    all.sweep(graph, 1, kSweeps);
    all.get(states);
  }
  report(state, spins, kChains, kSweeps);
}

void plain_twin(benchmark::State& state) {
  const int spins = static_cast<int>(state.range(0));
  const IsingGraph graph(machine(spins, state.range(1) != 0));
  std::vector<float> values(static_cast<std::size_t>(spins) * kIsingLanes, 1.0f), beta(kIsingLanes, 1.0f);
  PhiloxPlace random{1, 0, 0};
  for (auto _ : state) {
    gibbs_sweep_reference(graph, beta.data(), random, values.data());
    random.counter += counters_per_sweep(graph);
  }
  report(state, spins, kIsingLanes, 1);
}

void rbm_prior(benchmark::State& state) {
  PriorOptions options;
  options.kind = "rbm", options.bits = static_cast<int>(state.range(0)), options.chains = kChains;
  torch::set_num_threads(thread_count());
  const RestrictedBoltzmann prior(options, 1);
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(1);
  auto z = torch::bernoulli(torch::full({kChains, options.bits}, 0.5), generator);
  for (auto _ : state) z = prior.advance(z, kSweeps, generator);
  report(state, options.bits, kChains, kSweeps);
}

}  // namespace

// Spins, bipartite.
BENCHMARK(chains)->Args({32, 0})->Args({64, 0})->Args({64, 1})->Args({128, 1})->UseRealTime()->Unit(
    benchmark::kMillisecond);
BENCHMARK(plain_twin)->Args({64, 0})->Unit(benchmark::kMillisecond);
BENCHMARK(rbm_prior)->Args({64, 1})->Args({128, 1})->UseRealTime()->Unit(benchmark::kMillisecond);

BENCHMARK_MAIN();
