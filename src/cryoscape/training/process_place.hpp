#pragma once
#include <functional>
#include <optional>
#include <string>

namespace cryoscape::training {

/// Where a process stands among the processes of a run, and where they meet.
struct ProcessPlace {
  int rank = 0, size = 1;
  int local_rank = 0, local_size = 1;  ///< among those on the same machine
  std::string address;                 ///< machine of rank 0
  int port = 0;                        ///< where rank 0 listens; 0: one that is free
  bool others_store = false;           ///< a launcher holds the meeting point, not rank 0
};

/// The value of an environment variable; empty where there is none.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
/// This process's own.
Environment process_environment();

/// The place that a launcher gave this process: by torchrun's variables (RANK, WORLD_SIZE, LOCAL_RANK,
/// LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT), or as a task of a SLURM step of several tasks, where
/// MASTER_ADDR and MASTER_PORT win over the first host of the step and a port made from the job's number.
/// Nothing for a process that is alone, a batch script's own shell among them. Throws UsageError for
/// variables that are missing or make no sense.
std::optional<ProcessPlace> place_from(const Environment& environment);

/// The first host of a SLURM node list: node[03-07,11] is node03.
std::string first_host(const std::string& node_list);

/// This process's share of `threads` that `size` processes divide among them, at least 1.
int share_of_threads(int threads, int rank, int size);

}  // namespace cryoscape::training
