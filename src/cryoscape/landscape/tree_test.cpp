#include "cryoscape/landscape/tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace cryoscape::landscape {
namespace {

/// The two sides of a fork, in order.
std::pair<std::size_t, std::size_t> sides(const Fork& fork) {
  return {std::min(fork.first, fork.second), std::max(fork.first, fork.second)};
}

TEST(DisconnectivityTree, ForksAtTheLowestPasses) {
  // 0 –1– 1, 1 –3– 2, 2 –2– 3, and passes that are too high to count.
  const auto tree = disconnectivity_tree(4, {{1, 2, 3}, {0, 1, 1}, {2, 3, 2}, {0, 2, 5}, {0, 3, 4}});
  ASSERT_EQ(tree.size(), 3u);
  EXPECT_EQ(tree[0].energy, 1);
  EXPECT_EQ(sides(tree[0]), std::pair(std::size_t{0}, std::size_t{1}));
  EXPECT_EQ(tree[1].energy, 2);
  EXPECT_EQ(sides(tree[1]), std::pair(std::size_t{2}, std::size_t{3}));
  EXPECT_EQ(tree[2].energy, 3);
  EXPECT_EQ(sides(tree[2]), std::pair(std::size_t{4}, std::size_t{5}));
}

TEST(DisconnectivityTree, MinimaWithoutAPassStayApart) {
  EXPECT_TRUE(disconnectivity_tree(2, {}).empty());
  EXPECT_TRUE(disconnectivity_tree(1, {}).empty());
}

}  // namespace
}  // namespace cryoscape::landscape
