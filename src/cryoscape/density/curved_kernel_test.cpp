#include "cryoscape/density/curved_kernel.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

TEST(CurvedKernel, AgreesWithPlainLoops) {
  constexpr int kSide = 20, kVoxels = 13, kNodes = 6, kStep = 3;
  Philox random(1);
  const auto fill = [&](std::size_t count, double scale, double shift) {
    std::vector<float> out(count);
    for (auto& v : out) v = static_cast<float>(shift + scale * random.normal());
    return out;
  };
  const auto pixels = fill(kGroup * kSide * kSide, 1, 0);
  // Rows that begin inside some images and outside others, and leave them.
  const auto start = fill(2 * kGroup, 6, 8), step = fill(2 * kGroup, 0.8, 0),
             nodes = fill(kNodes * 2 * kGroup, 1.5, 0);
  std::vector<std::int32_t> cell;
  std::vector<float> part;
  for (int x = 0; x < kVoxels; ++x)
    cell.push_back(x / kStep), part.push_back(static_cast<float>(x % kStep) / kStep);
  std::vector<float> fast(kVoxels, 0.5f), plain(kVoxels, 0.5f);
  CurvedRow row{pixels.data(), kSide, start.data(), step.data(), nodes.data(), cell.data(),
                part.data(),   1,     kVoxels,      fast.data()};
  add_curved_row(row);
  row.out = plain.data();
  add_curved_row_reference(row);
  EXPECT_EQ(fast[0], 0.5f) << "before the row begins";
  double moved = 0;
  for (int x = 0; x < kVoxels; ++x) {
    EXPECT_NEAR(fast[x], plain[x], 2e-5) << x;
    moved += std::abs(plain[x] - 0.5f);
  }
  EXPECT_GT(moved, 1);
}
