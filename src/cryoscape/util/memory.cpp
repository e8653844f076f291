#include "cryoscape/util/memory.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

namespace cryoscape {
namespace fs = std::filesystem;
namespace {

void lower(MemoryLimit& limit, std::uint64_t bytes, const char* reason) {
  if (bytes < limit.bytes) limit = {bytes, reason};
}

/// Files of a number; "max" stands for no limit.
void lower_by_file(MemoryLimit& limit, const fs::path& path) {
  std::uint64_t bytes = 0;
  if (std::ifstream(path) >> bytes) lower(limit, bytes, "its cgroup allows");
}

/// A cgroup is bound by its parents' limits too. Inside a container the path may be that of the host and then
/// does not exist here: the container's own limit stands at the root.
void lower_by_cgroups(MemoryLimit& limit) {
  const fs::path root = "/sys/fs/cgroup";
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const bool v2 = line.starts_with("0::");
    const auto memory = line.find(":memory:");
    if (!v2 && memory == std::string::npos) continue;
    const auto base = v2 ? root : root / "memory";
    const char* file = v2 ? "memory.max" : "memory.limit_in_bytes";
    for (fs::path group = v2 ? line.substr(3) : line.substr(memory + 8);; group = group.parent_path()) {
      lower_by_file(limit, base / group.relative_path() / file);
      if (!group.has_relative_path()) break;
    }
  }
}

void lower_by_resource(MemoryLimit& limit, __rlimit_resource resource) {
  rlimit own{};
  if (getrlimit(resource, &own) == 0 && own.rlim_cur != RLIM_INFINITY)
    lower(limit, own.rlim_cur, "ulimit allows");
}

}  // namespace

MemoryLimit memory_limit() {
  MemoryLimit limit{
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)),
      "this machine has"};
  lower_by_cgroups(limit);
  lower_by_resource(limit, RLIMIT_AS);
  lower_by_resource(limit, RLIMIT_DATA);
  return limit;
}

std::string format_bytes(double bytes) {
  constexpr std::array kUnits{"bytes", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 999.95 && unit + 1 < kUnits.size()) bytes /= 1000, ++unit;
  return unit == 0 ? fmt::format("{:.0f} bytes", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

}  // namespace cryoscape
