#pragma once
#include <cstddef>
#include <functional>

namespace cryoscape {

/// Number of threads this process may use: SLURM_CPUS_PER_TASK, else the smaller of the CPU affinity mask and
/// the cgroup's quota.
int available_threads();

/// Sets how many threads parallel_for uses (at least 1). Default: available_threads(). Not to be called
/// inside parallel_for.
void set_thread_count(int threads);
int thread_count();

/// Calls body(begin, end) on contiguous ranges that cover [0, count), at most one range per thread, and waits
/// for all. The split depends on count and thread_count() only, so results are reproducible for a given
/// thread count. Called from inside a body it runs the whole range in the calling thread. The first exception
/// of a body is rethrown.
void parallel_ranges(std::size_t count, const std::function<void(std::size_t begin, std::size_t end)>& body);

/// Calls body(i) for every i in [0, count), in parallel.
template <class Body>
void parallel_for(std::size_t count, Body&& body) {
  parallel_ranges(count, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) body(i);
  });
}

}  // namespace cryoscape
