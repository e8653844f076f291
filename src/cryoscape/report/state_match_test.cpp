#include "cryoscape/report/state_match.hpp"

#include <gtest/gtest.h>

using namespace cryoscape::report;

namespace {

/// Two points `length` apart: the RMSD of two such rods is half the difference of their lengths.
std::vector<float> rod(float length) { return {0, 0, 0, length, 0, 0}; }

TrueState true_state(int id, double population, float length) { return {id, population, rod(length)}; }
FoundState found_state(int id, double population, float length) {
  return {id, population, std::nullopt, rod(length)};
}

}  // namespace

TEST(MatchStates, EachFoundStateGoesToTheNearestTrueState) {
  const std::vector<TrueState> truth{true_state(1, 0.6, 10), true_state(2, 0.3, 20), true_state(3, 0.1, 30)};
  std::vector<FoundState> found{found_state(1, 0.58, 19), found_state(2, 0.30, 11),
                                found_state(3, 0.12, 30.5f)};
  const auto scores = match_states(truth, found);
  ASSERT_EQ(scores.size(), 3u);
  EXPECT_EQ(found[0].nearest, 2);
  EXPECT_EQ(found[1].nearest, 1);
  EXPECT_EQ(found[2].nearest, 3);
  EXPECT_EQ(scores[0].found, 2);
  EXPECT_DOUBLE_EQ(scores[0].population, 0.30);
  EXPECT_DOUBLE_EQ(scores[1].population, 0.58);
  EXPECT_NEAR(*scores[0].rmsd, 0.5, 1e-4);
  EXPECT_NEAR(*scores[2].rmsd, 0.25, 1e-4);
  EXPECT_NEAR(*population_error(scores), 30, 1e-9);
}

TEST(MatchStates, ExtraStatesCountAsError) {
  // The true state of 70 % was cut in two: only the nearer half is its estimate.
  const std::vector<TrueState> truth{true_state(1, 0.7, 10), true_state(2, 0.3, 20)};
  std::vector<FoundState> found{found_state(1, 0.40, 12), found_state(2, 0.30, 10.2f),
                                found_state(3, 0.30, 20)};
  const auto scores = match_states(truth, found);
  EXPECT_EQ(scores[0].found, 2);
  EXPECT_DOUBLE_EQ(scores[0].population, 0.30);
  EXPECT_NEAR(*scores[0].rmsd, 0.1, 1e-4);
  EXPECT_NEAR(*population_error(scores), 40, 1e-9);
}

TEST(MatchStates, AMissedStateHasPopulationZeroAndTheDistanceOfTheNearest) {
  const std::vector<TrueState> truth{true_state(1, 0.9, 10), true_state(2, 0.1, 20)};
  std::vector<FoundState> found{found_state(1, 1.0, 11)};
  const auto scores = match_states(truth, found);
  EXPECT_EQ(scores[1].found, 0);
  EXPECT_DOUBLE_EQ(scores[1].population, 0);
  EXPECT_NEAR(*scores[1].rmsd, 4.5, 1e-4);
  EXPECT_NEAR(*population_error(scores), 10, 1e-9);
}

TEST(MatchStates, NothingFoundMissesAll) {
  const std::vector<TrueState> truth{true_state(1, 0.8, 10), true_state(2, 0.2, 20)};
  std::vector<FoundState> found;
  const auto scores = match_states(truth, found);
  EXPECT_FALSE(scores[0].rmsd);
  EXPECT_NEAR(*population_error(scores), 80, 1e-9);
}

TEST(MatchStates, WithoutTrueStatesThereIsNothingToMatch) {
  std::vector<FoundState> found{found_state(1, 1.0, 11)};
  const auto scores = match_states({}, found);
  EXPECT_TRUE(scores.empty());
  EXPECT_EQ(found[0].nearest, 0);
  EXPECT_FALSE(population_error(scores));
}
