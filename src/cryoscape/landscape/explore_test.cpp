#include "cryoscape/landscape/explore.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "cryoscape/landscape/test_clouds.hpp"
#include "cryoscape/landscape/test_surfaces.hpp"

namespace cryoscape::landscape {
namespace {

/// The two sides of a fork, in order.
std::pair<std::size_t, std::size_t> sides(const Fork& fork) {
  return {std::min(fork.first, fork.second), std::max(fork.first, fork.second)};
}

TEST(Explore, FindsTheTreeOfMuellerAndBrown) {
  const auto found = explore(flat_surface(2, mueller_brown), mueller_samples(), 0.5);
  ASSERT_EQ(found.basins.minima.size(), 3u);
  ASSERT_EQ(found.pathways.size(), 2u);
  const double lowest = kMuellerMinima[0].energy;
  ASSERT_EQ(found.tree.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_NEAR(found.tree[i].energy, (kMuellerSaddles[i].energy - lowest) / kMuellerScale, 1e-3);
  // The lower pass joins minima 1 and 2; the other joins both with minimum 0.
  EXPECT_EQ(sides(found.tree[0]), std::pair(std::size_t{1}, std::size_t{2}));
  EXPECT_EQ(sides(found.tree[1]), std::pair(std::size_t{0}, std::size_t{3}));
}

TEST(Explore, ShallowMinimaAreJoined) {
  // The third minimum lies 0.85 kT below its pass.
  const auto found = explore(flat_surface(2, mueller_brown), mueller_samples(), 1);
  ASSERT_EQ(found.basins.minima.size(), 2u);
  ASSERT_EQ(found.pathways.size(), 1u);
  EXPECT_NEAR(found.pathways[0].path.saddle_energy(),
              (kMuellerSaddles[1].energy - kMuellerMinima[0].energy) / kMuellerScale, 1e-3);
  double sum = 0;
  for (const auto& m : found.basins.minima) sum += m.population;
  EXPECT_NEAR(sum, 1, 1e-9);
}

TEST(Explore, OneBasinHasNoPaths) {
  const auto found = explore(flat_surface(2, [](const Eigen::VectorXd& x) { return 0.5 * x.squaredNorm(); }),
                             gaussians({1}, {{0, 0}}, {1}, 500, 5), 0.1);
  EXPECT_EQ(found.basins.minima.size(), 1u);
  EXPECT_TRUE(found.pathways.empty());
  EXPECT_TRUE(found.tree.empty());
}

TEST(Explore, BarriersOfTwoGaussiansAreExact) {
  // −ln of an even mixture of N(±d, 1): minima near ±d, the pass at 0, U(0) = d²/2 − … in closed form.
  constexpr double d = 2.5;
  const auto energy = [](const Eigen::VectorXd& x) {
    return -std::log(std::exp(-0.5 * std::pow(x[0] - d, 2)) + std::exp(-0.5 * std::pow(x[0] + d, 2))) +
           0.5 * x[1] * x[1];
  };
  const auto found =
      explore(flat_surface(2, energy), gaussians({0.5, 0.5}, {{-d, 0}, {d, 0}}, {1, 1}, 800, 6), 0.5);
  ASSERT_EQ(found.pathways.size(), 1u);
  const auto minimum = descend(flat_surface(2, energy), Eigen::Vector2d(d, 0), {300, 1e-8, 1});
  EXPECT_NEAR(found.pathways[0].path.saddle_energy(), energy(Eigen::Vector2d::Zero()) - minimum.energies[0],
              1e-3);
}

}  // namespace
}  // namespace cryoscape::landscape
