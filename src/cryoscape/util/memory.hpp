#pragma once
#include <cstdint>
#include <string>

namespace cryoscape {

/// What bounds this process's memory.
struct MemoryLimit {
  std::uint64_t bytes = 0;
  std::string reason;  ///< "this machine has", "its cgroup allows", "ulimit allows"
};

/// The smallest of the machine's memory, the limits of this process's cgroups (v1 or v2) and its own limits
/// on address space and data.
MemoryLimit memory_limit();

/// "66.6 GB", in powers of 1000.
std::string format_bytes(double bytes);

}  // namespace cryoscape
