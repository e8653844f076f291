#pragma once
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cryoscape/training/process_group.hpp"

namespace cryoscape::cli {

/// Runs work in several processes that share it: those that the environment names (torchrun, SLURM), or
/// copies of this program that this process starts on this machine and of which it is the first.
class Processes {
 public:
  /// `processes`: 0, as the environment says; 1, alone whatever it says; otherwise that many, which must be
  /// what the environment says if it says anything. Divides the program's threads among the processes of this
  /// machine and quietens all but the first. Throws UsageError for a number that contradicts the environment.
  explicit Processes(int processes);
  /// Ends copies that still run, after a moment.
  ~Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  bool first() const { return place_.rank == 0; }

  /// Joins the others and does this process's part of the work; then, in the process that started copies,
  /// waits for them. Of an error that ends several processes the first one throws the reason, the others
  /// Ended. Throws Error if this build has no process groups or the others cannot be started or found.
  void run(const std::function<void(training::ProcessGroup&)>& work);

 private:
  void start_copies(int port);
  /// Waits for the copies' end, and ends those that take longer.
  void end_copies(std::chrono::milliseconds patience);
  [[noreturn]] void fail_first(training::ProcessGroup& group);
  std::optional<std::string> killed_copy();

  training::ProcessPlace place_;
  int copies_ = 0;
  std::vector<pid_t> running_;  ///< -1 once ended
};

}  // namespace cryoscape::cli
