#include "cryoscape/training/restraint_schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace cryoscape::training {
namespace {

constexpr std::size_t kParticles = 10000;

void advance_evenly(EdgeRelaxation& edges, double from, double to, int steps = 100) {
  for (int i = 1; i <= steps; ++i) edges.advance(from + (to - from) * i / steps);
}

TEST(EdgeRelaxation, ReachesTheWeightAskedForHalfWay) {
  TrainingOptions options;
  options.edge_weight = 0.002;
  EdgeRelaxation edges(options, kParticles);
  EXPECT_GT(edges.weight(), 0.05);
  advance_evenly(edges, 0, 0.25);
  EXPECT_NEAR(edges.weight(), std::sqrt(0.002 * EdgeRelaxation(options, kParticles).weight()), 1e-6);
  advance_evenly(edges, 0.25, 0.5);
  EXPECT_NEAR(edges.weight(), 0.002, 1e-9);
  advance_evenly(edges, 0.5, 1);
  EXPECT_NEAR(edges.weight(), 0.002, 1e-9);
}

TEST(EdgeRelaxation, DoesNotDependOnTheStepsOfTheWay) {
  EdgeRelaxation fine({}, kParticles), coarse({}, kParticles);
  advance_evenly(fine, 0, 0.4, 1000);
  advance_evenly(coarse, 0, 0.4, 3);
  EXPECT_NEAR(fine.weight() / coarse.weight(), 1, 1e-9);
}

TEST(EdgeRelaxation, EndsSofterForMoreParticles) {
  EdgeRelaxation few({}, 100), many({}, 1000000);
  advance_evenly(few, 0, 1);
  advance_evenly(many, 0, 1);
  EXPECT_GT(few.weight(), 100 * many.weight());
}

TEST(EdgeRelaxation, ZeroMeansNoEdgesFromTheStart) {
  TrainingOptions options;
  options.edge_weight = 0;
  EXPECT_EQ(EdgeRelaxation(options, kParticles).weight(), 0);
}

TEST(EdgeRelaxation, EndsWhenTheHeldOutBoundFalls) {
  EdgeRelaxation edges({}, kParticles);
  advance_evenly(edges, 0, 0.2);
  const std::vector<float> good{-10, -12, -11, -9}, better{-9, -11, -10, -8.5f}, worse{-13, -14, -13.5f, -12};
  edges.judge(good);
  edges.judge(better);
  const double before = edges.weight();
  edges.judge(worse);
  EXPECT_GT(edges.weight(), before);
  const double held = edges.weight();
  advance_evenly(edges, 0.2, 1);
  EXPECT_EQ(edges.weight(), held);
}

TEST(EdgeRelaxation, GoesOnWhileTheBoundFallsWithinItsError) {
  EdgeRelaxation edges({}, kParticles);
  edges.judge(std::vector<float>{-10, -12, -11, -9});
  edges.judge(std::vector<float>{-12, -11, -13, -7});  // mean −0.25, far within the scatter
  const double before = edges.weight();
  advance_evenly(edges, 0, 0.3);
  EXPECT_LT(edges.weight(), 0.5 * before);
}

TEST(EdgeRelaxation, IsNotJudgedWhereTheUserChose) {
  TrainingOptions options;
  options.edge_weight = 0.001;
  EdgeRelaxation edges(options, kParticles);
  edges.judge(std::vector<float>{-10, -12});
  edges.judge(std::vector<float>{-30, -32});
  advance_evenly(edges, 0, 1);
  EXPECT_NEAR(edges.weight(), 0.001, 1e-9);
}

TEST(EdgeRelaxation, StateGoesRound) {
  EdgeRelaxation a({}, kParticles), b({}, kParticles);
  advance_evenly(a, 0, 0.2);
  a.judge(std::vector<float>{-10, -12, -11});
  b.set_state(a.state());
  for (auto* e : {&a, &b}) {
    e->judge(std::vector<float>{-20, -22, -21.5f});
    advance_evenly(*e, 0.2, 0.6);
  }
  EXPECT_EQ(a.weight(), b.weight());
  EXPECT_EQ(a.state(), b.state());
}

}  // namespace
}  // namespace cryoscape::training
