#include "cryoscape/util/memory.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

using namespace cryoscape;

TEST(MemoryLimit, IsTheSmallestOfMachineCgroupAndUlimit) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer's own memory does not fit into the limit";
#endif
  const auto before = memory_limit();
  EXPECT_GT(before.bytes, std::uint64_t{1} << 26);
  EXPECT_FALSE(before.reason.empty());
  rlimit own{};
  getrlimit(RLIMIT_DATA, &own);
  const rlimit small{before.bytes / 2, own.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_DATA, &small), 0);
  const auto limited = memory_limit();
  setrlimit(RLIMIT_DATA, &own);
  EXPECT_EQ(limited.bytes, before.bytes / 2);
  EXPECT_EQ(limited.reason, "ulimit allows");
}

TEST(FormatBytes, PicksTheUnit) {
  EXPECT_EQ(format_bytes(0), "0 bytes");
  EXPECT_EQ(format_bytes(999), "999 bytes");
  EXPECT_EQ(format_bytes(1500), "1.5 kB");
  EXPECT_EQ(format_bytes(999960), "1.0 MB");
  EXPECT_EQ(format_bytes(66.56e9), "66.6 GB");
  EXPECT_EQ(format_bytes(5e16), "50000.0 TB");
}
