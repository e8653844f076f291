#include <benchmark/benchmark.h>

#include <vector>

#include "cryoscape/latent/gibbs_kernel.hpp"
#include "cryoscape/util/random.hpp"

using namespace cryoscape;

namespace {

std::vector<float> normals(std::size_t n, double scale) {
  Philox random(1);
  std::vector<float> out(n);
  for (auto& x : out) x = static_cast<float>(scale * random.normal());
  return out;
}

/// Persistent chains of a restricted machine: units per side, chains, sweeps.
void block(benchmark::State& state) {
  const auto side = static_cast<std::size_t>(state.range(0)),
             chains = static_cast<std::size_t>(state.range(1));
  const auto biases = normals(2 * side, 0.5), couplings = normals(side * side, 0.3);
  const latent::BipartiteMachine machine{side, side, biases.data(), couplings.data()};
  std::vector<float> z(chains * 2 * side);
  std::uint64_t seed = 0;
  for (auto _ : state) latent::block_gibbs(machine, z, static_cast<int>(state.range(2)), ++seed);
}

/// The same of a machine with all couplings: units, chains, sweeps.
void sequential(benchmark::State& state) {
  const auto units = static_cast<std::size_t>(state.range(0)),
             chains = static_cast<std::size_t>(state.range(1));
  const auto biases = normals(units, 0.5);
  const std::vector<float> couplings(units * units, 0.01f);
  const latent::DenseMachine machine{units, biases.data(), couplings.data()};
  std::vector<float> z(chains * units);
  std::uint64_t seed = 0;
  for (auto _ : state) latent::sequential_gibbs(machine, z, static_cast<int>(state.range(2)), ++seed);
}

}  // namespace

BENCHMARK(block)->Args({64, 4096, 25})->Args({16, 1024, 25})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(sequential)
    ->Args({128, 4096, 25})
    ->Args({32, 1024, 25})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_MAIN();
