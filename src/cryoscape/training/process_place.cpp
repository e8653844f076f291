#include "cryoscape/training/process_place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "cryoscape/util/error.hpp"

namespace cryoscape::training {
namespace {

constexpr int kLargestPort = 65535;
// Below the range that systems hand out to outgoing connections.
constexpr int kFirstPort = 20000, kPorts = 12000;

std::optional<long> number(const Environment& environment, const std::string& name) {
  const auto text = environment(name);
  if (!text) return std::nullopt;
  long value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size())
    throw UsageError(fmt::format("the environment variable {} is '{}', which is no number", name, *text));
  return value;
}

int required(const Environment& environment, const std::string& name, long minimum, long maximum) {
  const auto value = number(environment, name);
  if (!value)
    throw UsageError(fmt::format(
        "the environment has WORLD_SIZE but no {}: set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT", name));
  if (*value < minimum || *value > maximum)
    throw UsageError(
        fmt::format("the environment variable {} is {}, not in {} to {}", name, *value, minimum, maximum));
  return static_cast<int>(*value);
}

ProcessPlace place_from_variables(const Environment& environment, int size) {
  ProcessPlace place;
  place.size = size;
  place.rank = required(environment, "RANK", 0, size - 1);
  place.local_rank = static_cast<int>(number(environment, "LOCAL_RANK").value_or(0));
  place.local_size = static_cast<int>(number(environment, "LOCAL_WORLD_SIZE").value_or(1));
  place.address = environment("MASTER_ADDR").value_or("");
  if (place.address.empty()) throw UsageError("the environment has WORLD_SIZE but no MASTER_ADDR");
  place.port = required(environment, "MASTER_PORT", 1, kLargestPort);
  place.others_store = environment("TORCHELASTIC_USE_AGENT_STORE") == "True";
  return place;
}

/// Number of tasks of the SLURM step that this process belongs to; 1 outside one. A batch script has
/// SLURM_NTASKS and SLURM_PROCID too, but none of what srun sets.
long step_tasks(const Environment& environment) {
  if (const auto tasks = number(environment, "SLURM_STEP_NUM_TASKS")) return *tasks;
  const bool in_step = environment("SLURM_STEP_NODELIST") || environment("SLURM_LAUNCH_NODE_IPADDR");
  return in_step ? number(environment, "SLURM_NTASKS").value_or(1) : 1;
}

/// Rank 0 runs on the first host of the step; where its name is not known, srun is taken to run there too.
std::string slurm_address(const Environment& environment) {
  if (const auto address = environment("MASTER_ADDR")) return *address;
  if (environment("SLURM_STEP_NUM_NODES").value_or(environment("SLURM_NNODES").value_or("")) == "1")
    return "127.0.0.1";
  for (const char* name : {"SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST"})
    if (const auto hosts = environment(name)) return first_host(*hosts);
  if (const auto address = environment("SLURM_LAUNCH_NODE_IPADDR")) return *address;
  throw UsageError("the SLURM environment names no host: set MASTER_ADDR to that of the first task");
}

ProcessPlace place_in_step(const Environment& environment, int size) {
  ProcessPlace place;
  place.size = size;
  place.rank = required(environment, "SLURM_PROCID", 0, size - 1);
  place.local_rank = static_cast<int>(number(environment, "SLURM_LOCALID").value_or(0));
  place.address = slurm_address(environment);
  const long job = number(environment, "SLURM_JOB_ID").value_or(0);
  const long step = number(environment, "SLURM_STEP_ID").value_or(0);
  place.port =
      static_cast<int>(number(environment, "MASTER_PORT").value_or(kFirstPort + (31 * job + step) % kPorts));
  return place;
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
}

std::optional<ProcessPlace> place_from(const Environment& environment) {
  if (environment("WORLD_SIZE")) {
    const int size = required(environment, "WORLD_SIZE", 1, 1 << 20);
    return size > 1 ? std::optional(place_from_variables(environment, size)) : std::nullopt;
  }
  const long tasks = step_tasks(environment);
  return tasks > 1 ? std::optional(place_in_step(environment, static_cast<int>(tasks))) : std::nullopt;
}

std::string first_host(const std::string& list) {
  const auto end = list.find_first_of(",[");
  auto host = list.substr(0, end);
  if (end == std::string::npos || list[end] == ',') return host;
  const auto digits = list.substr(end + 1, list.find_first_of(",-]", end + 1) - end - 1);
  const auto close = list.find(']', end);
  if (close == std::string::npos) return host + digits;
  // What follows a bracket belongs to the name: node[1-2]-ib is node1-ib.
  const auto rest = list.substr(close + 1, list.find(',', close) - close - 1);
  return host + digits + (rest.find('[') == std::string::npos ? rest : first_host(rest));
}

int share_of_threads(int threads, int rank, int size) {
  return std::max(1, threads / size + (rank < threads % size ? 1 : 0));
}

}  // namespace cryoscape::training
