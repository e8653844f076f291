#include "cryoscape/training/shared_loader.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "cryoscape/training/test_data_set.hpp"

using namespace cryoscape;
using namespace cryoscape::training;

TEST(ShareOf, CoversEverythingOnceInOrder) {
  for (const int size : {1, 2, 3, 7})
    for (std::size_t count = 0; count < 30; ++count) {
      std::size_t at = 0, least = count, most = 0;
      for (int rank = 0; rank < size; ++rank) {
        const auto share = share_of(count, rank, size);
        EXPECT_EQ(share.begin, at);
        at += share.count;
        least = std::min(least, share.count), most = std::max(most, share.count);
        // A smaller last batch fits into what the loader was made for.
        EXPECT_LE(share.count, share_of(count + 1, rank, size).count);
      }
      EXPECT_EQ(at, count);
      EXPECT_LE(most - least, 1u);
    }
}

class SharedLoaderTest : public DataSetTest {};

TEST_F(SharedLoaderTest, AloneItIsTheLoader) {
  const auto settings = small_run(simulate_particles("data", 21, 0.5), "gaussian");
  const auto data = open_dataset(settings.input, {});
  SharedLoader shared(data.particles, data.loader_options(8, false), lone_process());
  particles::ParticleLoader plain(data.particles, data.loader_options(8, false));
  std::vector<std::uint32_t> order(21);
  std::iota(order.begin(), order.end(), 0u);
  shared.start(order);
  plain.start(order);
  SharedBatch batch;
  particles::Batch expected;
  while (plain.next(expected)) {
    ASSERT_TRUE(shared.next(batch));
    EXPECT_TRUE(torch::equal(batch.own.indices, expected.indices));
    EXPECT_EQ(batch.part.first, 0);
    EXPECT_EQ(batch.part.whole, expected.size());
    EXPECT_EQ(batch.consumed, expected.consumed);
  }
  EXPECT_FALSE(shared.next(batch));
}
