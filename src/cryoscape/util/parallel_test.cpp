#include "cryoscape/util/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

using namespace cryoscape;

TEST(ParallelFor, VisitsEveryIndexOnce) {
  for (int threads : {1, 2, 5}) {
    set_thread_count(threads);
    for (std::size_t count : {0u, 1u, 3u, 1000u}) {
      std::vector<std::atomic<int>> visits(count);
      parallel_for(count, [&](std::size_t i) { ++visits[i]; });
      for (auto& v : visits) EXPECT_EQ(v, 1);
    }
  }
}

TEST(ParallelFor, NestedCallsRunInPlace) {
  set_thread_count(3);
  std::atomic<int> sum{0};
  parallel_for(4, [&](std::size_t) { parallel_for(5, [&](std::size_t) { ++sum; }); });
  EXPECT_EQ(sum, 20);
}

TEST(ParallelFor, RethrowsAndStaysUsable) {
  set_thread_count(2);
  EXPECT_THROW(parallel_for(10,
                            [](std::size_t i) {
                              if (i == 7) throw std::runtime_error("seven");
                            }),
               std::runtime_error);
  std::atomic<int> sum{0};
  parallel_for(10, [&](std::size_t) { ++sum; });
  EXPECT_EQ(sum, 10);
}
