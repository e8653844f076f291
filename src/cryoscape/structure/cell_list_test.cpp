#include "cryoscape/structure/cell_list.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::structure;

namespace {

using Pairs = std::multiset<std::pair<std::int32_t, std::int32_t>>;

Pairs by_cells(std::span<const float> x, float cutoff) {
  Pairs pairs;
  CellList cells;
  cells.for_each_pair(x, cutoff, [&](std::int32_t i, std::int32_t j, float) { pairs.insert({i, j}); });
  return pairs;
}

Pairs by_trying_all(std::span<const float> x, float cutoff) {
  Pairs pairs;
  for (std::size_t i = 0; i < x.size() / 3; ++i)
    for (std::size_t j = i + 1; j < x.size() / 3; ++j) {
      float d2 = 0;
      for (int k = 0; k < 3; ++k) d2 += (x[3 * i + k] - x[3 * j + k]) * (x[3 * i + k] - x[3 * j + k]);
      if (d2 < cutoff * cutoff) pairs.insert({static_cast<std::int32_t>(i), static_cast<std::int32_t>(j)});
    }
  return pairs;
}

std::vector<float> cloud(std::uint64_t seed, int n, float wide, float deep) {
  Philox random(seed);
  std::vector<float> x;
  for (int i = 0; i < n; ++i)
    for (const float extent : {wide, deep, deep})
      x.push_back(static_cast<float>(extent * random.normal()) - 20);
  return x;
}

}  // namespace

TEST(CellList, FindsEveryPairOnceInAnyShape) {
  for (const auto& x : {cloud(1, 300, 10, 10), cloud(2, 300, 500, 3), cloud(3, 200, 1, 1),
                        cloud(4, 100, 1e4, 1e4), cloud(5, 50, 0, 0)})
    EXPECT_EQ(by_cells(x, 4), by_trying_all(x, 4));
}

TEST(CellList, FewPoints) {
  EXPECT_TRUE(by_cells({}, 4).empty());
  EXPECT_TRUE(by_cells(std::vector<float>{1, 2, 3}, 4).empty());
  EXPECT_EQ(by_cells(std::vector<float>{1, 2, 3, 1, 2, 6}, 4).size(), 1u);
}

TEST(CellList, LeavesOutWhatIsNotFinite) {
  auto x = cloud(6, 100, 5, 5);
  const auto rest = by_trying_all(std::span(x).subspan(9), 4);
  x[0] = std::numeric_limits<float>::quiet_NaN();
  x[4] = std::numeric_limits<float>::infinity();
  x[8] = -3e38f;
  Pairs moved;
  for (const auto& [i, j] : rest) moved.insert({i + 3, j + 3});
  EXPECT_EQ(by_cells(x, 4), moved);
}

TEST(CellList, OneListServesStructuresOfDifferentSize) {
  CellList cells;
  for (const int n : {200, 10, 150}) {
    const auto x = cloud(n, n, 6, 6);
    std::size_t count = 0;
    cells.for_each_pair(x, 5, [&](std::int32_t, std::int32_t, float) { ++count; });
    EXPECT_EQ(count, by_trying_all(x, 5).size());
  }
}
