#pragma once
#include "cryoscape/model/heterogeneity_model.hpp"
#include "cryoscape/structure/restraints.hpp"
#include "cryoscape/torch.hpp"
#include "cryoscape/training/adamw.hpp"
#include "cryoscape/training/benchmark_data.hpp"
#include "cryoscape/training/objective.hpp"
#include "cryoscape/training/reference_step.hpp"

namespace cryoscape::training {

inline constexpr double kBenchmarkLearningRate = 1e-3;
inline constexpr double kBenchmarkMemory = 5000;  ///< images over which gain and noise are averaged
inline constexpr std::uint64_t kBenchmarkSeed = 7;

/// The encoder of what is measured: of raw images, in float32, unless another is asked for.
struct BenchmarkEncoder {
  std::string input = "image", precision = "float32";
};

/// What is trained: 8 Gaussian latents; gain and noise calibrated at the globule on one batch.
std::unique_ptr<model::HeterogeneityModel> make_benchmark_model(const BenchmarkData& data,
                                                                const particles::Batch& batch,
                                                                const BenchmarkEncoder& encoder = {});

structure::RestraintTopology benchmark_restraints(const BenchmarkData& data);
RestraintSchedule benchmark_schedule();

/// One path through a training step with all that it moves.
struct FastPath {
  std::unique_ptr<model::HeterogeneityModel> model;
  structure::RestraintEvaluator restraints;
  AdamW optimiser;
  torch::Generator generator;

  FastPath(const BenchmarkData& data, const particles::Batch& first, const BenchmarkEncoder& encoder = {});
  /// A step of training as the trainer makes it; returns the loss.
  double step(const particles::Batch& batch);
};

struct ReferencePath {
  std::unique_ptr<model::HeterogeneityModel> model;
  ReferenceStep plain;
  torch::Generator generator;

  ReferencePath(const BenchmarkData& data, const particles::Batch& first);
  double step(const particles::Batch& batch);
};

}  // namespace cryoscape::training
