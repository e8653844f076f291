#include "cryoscape/util/parallel.hpp"

#include <sched.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace cryoscape {
namespace {

/// cgroup v2 CPU quota in whole CPUs (rounded up), or a large number where there is none.
int cgroup_quota() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 1 << 20;
  return std::max(1, static_cast<int>(std::stod(quota) / period + 0.999));
}

using Body = std::function<void(std::size_t, std::size_t)>;

/// Fixed team of threads; the caller works too, so a pool of n threads starts n − 1.
class Pool {
 public:
  explicit Pool(int threads) : size_(std::max(1, threads)) {
    for (int rank = 1; rank < size_; ++rank) workers_.emplace_back([this, rank] { work(rank); });
  }
  ~Pool() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    start_.notify_all();
    for (auto& worker : workers_) worker.join();
  }
  int size() const { return size_; }

  void run(std::size_t count, const Body& body) {
    std::lock_guard one_at_a_time(run_mutex_);
    {
      std::lock_guard lock(mutex_);
      count_ = count;
      body_ = &body;
      pending_ = size_ - 1;
      error_ = nullptr;
      ++generation_;
    }
    start_.notify_all();
    run_share(0);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return pending_ == 0; });
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void run_share(int rank);

  void work(int rank) {
    std::size_t seen = 0;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        start_.wait(lock, [&] { return stopping_ || generation_ != seen; });
        if (stopping_) return;
        seen = generation_;
      }
      run_share(rank);
      std::lock_guard lock(mutex_);
      if (--pending_ == 0) done_.notify_all();
    }
  }

  const int size_;
  std::vector<std::thread> workers_;
  std::mutex run_mutex_, mutex_;
  std::condition_variable start_, done_;
  std::size_t count_ = 0, generation_ = 0;
  const Body* body_ = nullptr;
  int pending_ = 0;
  bool stopping_ = false;
  std::exception_ptr error_;
};

thread_local bool inside_body = false;

void Pool::run_share(int rank) {
  const auto n = static_cast<std::size_t>(size_), r = static_cast<std::size_t>(rank);
  const std::size_t begin = count_ * r / n, end = count_ * (r + 1) / n;
  if (begin == end) return;
  inside_body = true;
  try {
    (*body_)(begin, end);
  } catch (...) {
    std::lock_guard lock(mutex_);
    if (!error_) error_ = std::current_exception();
  }
  inside_body = false;
}

std::unique_ptr<Pool>& pool() {
  static std::unique_ptr<Pool> instance = std::make_unique<Pool>(available_threads());
  return instance;
}

}  // namespace

int available_threads() {
  if (const char* slurm = std::getenv("SLURM_CPUS_PER_TASK")) {
    if (const int n = std::atoi(slurm); n > 0) return n;
  }
  cpu_set_t set;
  int affinity = static_cast<int>(std::thread::hardware_concurrency());
  if (sched_getaffinity(0, sizeof set, &set) == 0) affinity = CPU_COUNT(&set);
  return std::max(1, std::min(affinity, cgroup_quota()));
}

void set_thread_count(int threads) {
  if (std::max(1, threads) != pool()->size()) pool() = std::make_unique<Pool>(threads);
}

int thread_count() { return pool()->size(); }

void parallel_ranges(std::size_t count, const Body& body) {
  if (count == 0) return;
  if (inside_body || count == 1 || pool()->size() == 1) return body(0, count);
  pool()->run(count, body);
}

}  // namespace cryoscape
