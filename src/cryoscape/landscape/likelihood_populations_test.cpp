#include "cryoscape/landscape/likelihood_populations.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace cryoscape::landscape {
namespace {

/// One variable from 0 to 1 with a state on either side of 0.6, of 80 and 20 %.
inference::FreeEnergy two_basins() {
  inference::FreeEnergy out;
  out.grid.axes = {{0, 1, 11}};
  for (std::size_t k = 0; k < 11; ++k) out.state_of.push_back(k > 6);
  out.states = {{{0.8, 0.01, 0.78, 0.82}, 0, {0.3}, 1}, {{0.2, 0.01, 0.18, 0.22}, 1.4, {0.8}, 1}};
  return out;
}

/// States with so many members each, in the plane.
StateSet states_of(const std::vector<std::size_t>& members) {
  StateSet set;
  double all = 0;
  for (const auto n : members) all += static_cast<double>(n);
  for (std::size_t s = 0; s < members.size(); ++s) {
    State state;
    state.population = static_cast<double>(members[s]) / all, state.population_error = 0.005;
    state.particles = members[s];
    state.peak = Eigen::Vector2d(static_cast<double>(s), 0);
    state.precision = Eigen::Matrix2d::Identity() * static_cast<double>(s + 1);
    set.states.push_back(state);
    set.assignment.insert(set.assignment.end(), members[s], static_cast<int>(s + 1));
  }
  return set;
}

TEST(LikelihoodBasins, AreThoseOfTheNearestGridPoint) {
  const auto basins =
      likelihood_basins(two_basins(), std::vector{0.31, 0.72}, std::vector{-0.2, 0.64, 0.66, 1.3});
  ASSERT_TRUE(basins);
  EXPECT_EQ(basins->of_state, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(basins->of_point, (std::vector<std::size_t>{0, 0, 1, 1}));
  auto one = two_basins();
  one.states.pop_back();
  EXPECT_FALSE(likelihood_basins(one, std::vector{0.3}, std::vector{0.3}));
}

TEST(TakeContinuity, IsOfASingleState) {
  inference::FreeEnergy flat;
  flat.continuous = true;
  auto one = states_of({10}), two = states_of({10, 10});
  take_continuity(one, flat), take_continuity(two, flat);
  EXPECT_TRUE(one.continuous);
  EXPECT_FALSE(two.continuous);
  flat.continuous = false;
  take_continuity(one, flat);
  EXPECT_FALSE(one.continuous);
}

TEST(TakePopulations, GivesStatesThoseOfTheirBasins) {
  auto set = states_of({50, 50});
  const Points points = Points::Zero(2, 100);
  ASSERT_TRUE(take_populations(set, points, {{{0.2, 0.01, 0, 0}, {0.8, 0.02, 0, 0}}, {0, 1}, {}}, true));
  // The second is now the larger and comes first, with its members.
  EXPECT_DOUBLE_EQ(set.states[0].population, 0.8);
  EXPECT_DOUBLE_EQ(set.states[0].population_error, 0.02);
  EXPECT_EQ(set.states[0].peak[0], 1);
  EXPECT_DOUBLE_EQ(set.states[1].energy, std::log(4));
  EXPECT_DOUBLE_EQ(set.states[1].energy_error, 0.01 / 0.2 + 0.02 / 0.8);
  EXPECT_EQ(set.assignment.front(), 2);
  EXPECT_EQ(set.assignment.back(), 1);
}

TEST(TakePopulations, StatesOfOneBasinShareIt) {
  auto set = states_of({40, 20, 40});
  const Points points = Points::Zero(2, 100);
  ASSERT_TRUE(take_populations(set, points, {{{0.3, 0.03, 0, 0}, {0.7, 0.03, 0, 0}}, {0, 0, 1}, {}}, true));
  EXPECT_DOUBLE_EQ(set.states[0].population, 0.7);
  EXPECT_DOUBLE_EQ(set.states[1].population, 0.2);
  EXPECT_DOUBLE_EQ(set.states[2].population, 0.1);
  // A third of the basin's error, and the count's own of 0.005 in 0.6, scaled to 0.3.
  EXPECT_DOUBLE_EQ(set.states[2].population_error, std::hypot(0.01, 0.0025));
}

TEST(TakePopulations, MakesAStateOfABasinWithoutOne) {
  auto set = states_of({1000});
  set.continuous = true;
  Points points = Points::Zero(2, 1000);
  LikelihoodBasins basins{{{0.95, 0.01, 0, 0}, {0.05, 0.01, 0, 0}}, {0}, std::vector<std::size_t>(1000, 0)};
  for (Eigen::Index i = 970; i < 1000; ++i) {
    points.col(i) << 3, 1;
    basins.of_point[static_cast<std::size_t>(i)] = 1;
  }
  auto given = set;
  EXPECT_FALSE(take_populations(given, points, basins, false));
  EXPECT_EQ(given.states.size(), 1u);
  ASSERT_TRUE(take_populations(set, points, basins, true));
  ASSERT_EQ(set.states.size(), 2u);
  EXPECT_EQ(set.states[0].particles, 970u);
  EXPECT_EQ(set.states[1].particles, 30u);
  EXPECT_DOUBLE_EQ(set.states[1].population, 0.05);
  EXPECT_NEAR((set.states[1].peak - Eigen::Vector2d(3, 1)).norm(), 0, 1e-12);
  EXPECT_FALSE(set.continuous);
}

TEST(TakePopulations, ChangesNothingWhereABasinHasTooFewParticles) {
  auto set = states_of({1000});
  LikelihoodBasins basins{{{0.99, 0.01, 0, 0}, {0.01, 0.01, 0, 0}}, {0}, std::vector<std::size_t>(1000, 0)};
  for (std::size_t i = 0; i < 19; ++i) basins.of_point[i] = 1;
  EXPECT_FALSE(take_populations(set, Points::Zero(2, 1000), basins, true));
  EXPECT_DOUBLE_EQ(set.states[0].population, 1);
}

}  // namespace
}  // namespace cryoscape::landscape
