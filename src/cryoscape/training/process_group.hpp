#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cryoscape/torch.hpp"
#include "cryoscape/training/process_place.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::training {

/// Another process of the run has ended, or did not answer in time.
class PeerLost : public Error {
 public:
  using Error::Error;
};

/// The processes that train one model together, through libtorch's c10d: Gloo on CPU, NCCL on CUDA where this
/// build has it. All of them call the same operations in the same order. Every operation throws PeerLost if
/// another process has ended, or does not come to it within the environment's CRYOSCAPE_TIMEOUT seconds
/// (default 120). A process that is alone pays nothing.
class ProcessGroup {
 public:
  /// Whether this build can join processes.
  static bool available();

  /// One process, alone.
  ProcessGroup();
  /// Meets the others; `listening` is called with the port as soon as the first process can be reached.
  /// Throws Error if they do not find each other in time, or in a build that has no process groups.
  explicit ProcessGroup(const ProcessPlace& place, const std::function<void(int port)>& listening = {});
  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  int rank() const { return place_.rank; }
  int size() const { return place_.size; }
  /// Among the processes on the same machine.
  int local_rank() const { return place_.local_rank; }
  bool alone() const { return size() == 1; }
  /// The process that writes files and logs.
  bool first() const { return rank() == 0; }

  /// Sums over processes, in place; tensors are contiguous, of the same shape everywhere.
  void sum(torch::Tensor tensor);
  void sum(std::span<double> values);
  /// Everyone's values, (size, values), in the order of ranks.
  std::vector<std::int64_t> gather(const std::vector<std::int64_t>& values);
  /// The first process's values, in place.
  void broadcast(torch::Tensor tensor);
  /// The largest of everyone's values.
  std::int64_t largest(std::int64_t value);
  void barrier();

  /// After an error of this process, not the first: leaves the group and hands the message over to the first
  /// process, which reports it; an empty one only says that this process goes. False if that process cannot
  /// be reached, so that nobody else will say anything.
  bool hand_over(const std::string& message);
  /// After an error of the first process: leaves the group, gives the others a moment to hand over theirs,
  /// and returns the first of these.
  std::optional<std::string> leave();

 private:
  struct Connection;

  ProcessPlace place_;
  std::unique_ptr<Connection> connection_;
};

/// The group of a process that is alone.
ProcessGroup& lone_process();

}  // namespace cryoscape::training
