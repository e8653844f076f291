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
  int processes = 0;

  void declare(Command& command);
  /// Trains the run, or goes on with it, in as many processes as asked for. Returns whether this process is
  /// the first of them, whose part it is to go on. Throws UsageError without --out.
  bool train(const CommonOptions& common) const;
};

}  // namespace cryoscape::cli
