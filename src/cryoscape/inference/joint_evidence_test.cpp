#include "cryoscape/inference/joint_evidence.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace cryoscape::inference {
namespace {

HeldOutEvidence evidence(std::vector<double> values, double x) {
  const auto beads = torch::zeros({static_cast<std::int64_t>(values.size()), 5, 3});
  return {values, std::vector<double>(values.size(), 0.5), {beads + x}};
}

TEST(JointRounds, AreKeptIfTheGainIsAboveItsPairedError) {
  const auto best = evidence({-10, -20, -30, -40}, 0);
  // Gains 1, 2, 3, 2: mean 2, variance 1/2 of 4, so an error of √(1/6).
  const auto better = judged(best, evidence({-9, -18, -27, -38}, 1), 0.25);
  EXPECT_NEAR(better.gain, 2, 1e-12);
  EXPECT_NEAR(better.error, std::sqrt(1.0 / 6), 1e-12);
  EXPECT_NEAR(better.evidence, -23, 1e-12);
  EXPECT_NEAR(better.effective_draws, 0.5, 1e-12);
  EXPECT_NEAR(better.shift, std::sqrt(3.0), 1e-6);
  EXPECT_EQ(better.edge_weight, 0.25);
  EXPECT_TRUE(better.kept);
  EXPECT_FALSE(judged(best, evidence({-5, -26, -25, -43}, 0), 1).kept) << "a gain of 1/4 among gains of 5";
  EXPECT_FALSE(judged(best, best, 1).kept);
}

}  // namespace
}  // namespace cryoscape::inference
