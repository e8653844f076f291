#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cryoscape/training/benchmark_data.hpp"

namespace cryoscape::training {

/// What `bench` found. Rates are medians of turns in which the two paths alternate, with loading; memory in
/// MiB.
struct BenchmarkResult {
  BenchmarkOptions options;
  int threads = 0;
  double images_per_second = 0, reference_images_per_second = 0;
  double default_images_per_second = 0;  ///< with what `train` takes by default: see measure_defaults()
  std::optional<double> bfloat16_images_per_second;  ///< where the processor has such products
  double speedup = 0;                                ///< median over pairs of neighbouring turns
  double loss = 0, reference_loss = 0;  ///< after the same steps from the same start on the same batches
  double peak_rss = 0;  ///< of the process after training steps of this program, before the reference ran
  double reference_peak_rss = 0;          ///< at the end
  double metadata = 0;                    ///< of all particles
  std::map<std::string, double> parts;    ///< measure_parts()
  std::map<std::string, double> kernels;  ///< measure_kernels()
};

/// Measures training steps of this program and of the plain libtorch reference on the same fixed work. Throws
/// UsageError for options that do not fit together, Error if the two paths do not reach the same loss to
/// 1e-3.
BenchmarkResult run_benchmark(const BenchmarkOptions& options);

nlohmann::json to_json(const BenchmarkResult& result);
/// A few lines to read.
std::string to_text(const BenchmarkResult& result);

}  // namespace cryoscape::training
