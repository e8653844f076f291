#include "cryoscape/training/memory_need.hpp"

#include <gtest/gtest.h>

#include "cryoscape/util/test_error.hpp"

using namespace cryoscape;
using namespace cryoscape::training;

namespace {

particles::LoaderOptions options(int box, int batch) {
  particles::LoaderOptions o;
  o.grid.box = box, o.batch = batch, o.queue = 4;
  return o;
}

}  // namespace

TEST(MemoryNeed, CountsNetworksBatchesAndParticles) {
  auto o = options(4, 10);
  EXPECT_EQ(memory_need(100, o, 1000).networks, 1600);
  EXPECT_EQ(memory_need(0, o, 1000).batches, 50 * 12 * 12);  // 12 coefficients of 8 and 4 bytes
  EXPECT_EQ(memory_need(0, o, 20).batches, 20 * 12 * 12);
  EXPECT_EQ(memory_need(0, o, 20).particles, 20 * sizeof(particles::Particle));
  o.with_images = true;
  EXPECT_EQ(memory_need(0, o, 1).batches, 12 * 12 + 16 * 4);
  o.with_wide_ctf = true;
  EXPECT_EQ(memory_need(0, o, 1).batches, 12 * 12 + 16 * 4 + 8 * 5 * 4);
}

TEST(MemoryNeed, MoreThanIsAllowedIsOneClearLine) {
  const auto small = options(64, 64), large = options(2048, 65536);
  EXPECT_EQ(error_of([&] { check_memory(memory_need(1000000, small, 100000), small); }), "");
  const auto message = error_of([&] { check_memory(memory_need(1000000, large, 100000000), large); });
  for (const char* part : {"memory", "--box (now 2048)", "--batch (now 65536)", "TB"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
}
