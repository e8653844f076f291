#include <benchmark/benchmark.h>

#include "cryoscape/projection/kernel.hpp"
#include "globule.hpp"
#include "peak_rate.hpp"

using namespace cryoscape;

namespace {

/// Counts `factor` multiply-adds per window pixel.
void report(const bench::Globule& g, benchmark::State& state, double factor) {
  static const double peak = bench::peak_multiply_adds();
  const double work = factor * g.window_pixels() * static_cast<double>(state.iterations());
  state.counters["multiply_adds"] = benchmark::Counter(work, benchmark::Counter::kIsRate);
  state.counters["of_peak"] = benchmark::Counter(work / peak, benchmark::Counter::kIsRate);
}

void project(benchmark::State& state) {
  bench::Globule g(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  for (auto _ : state) {
    projection::project_one(g.spec, g.amplitudes, g.coordinates.data(), g.rotation.data(), g.shift.data(),
                            g.image.data());
    benchmark::ClobberMemory();
  }
  report(g, state, 1);
}

void project_backward(benchmark::State& state) {
  bench::Globule g(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  for (auto _ : state) {
    projection::project_one_backward(g.spec, g.amplitudes, g.coordinates.data(), g.rotation.data(),
                                     g.shift.data(), g.image.data(), g.gradient.data());
    benchmark::ClobberMemory();
  }
  report(g, state, 2);
}

}  // namespace

// Residues, box.
BENCHMARK(project)->Args({200, 64})->Args({1200, 128})->Args({5000, 192})->Unit(benchmark::kMicrosecond);
BENCHMARK(project_backward)
    ->Args({200, 64})
    ->Args({1200, 128})
    ->Args({5000, 192})
    ->Unit(benchmark::kMicrosecond);

BENCHMARK_MAIN();
