#pragma once
#include <string>

#include "cryoscape/cli/command.hpp"
#include "cryoscape/training/run.hpp"

namespace cryoscape::cli {

/// What `train` and `run` share: the particles, the run's folder and every option of a training.
struct TrainArguments {
  training::RunSettings settings;
  std::string out;
  bool resume = false, force = false;

  void declare(Command& command);
  /// Trains the run, or goes on with it. Throws UsageError without --out.
  void train(const CommonOptions& common) const;
};

}  // namespace cryoscape::cli
