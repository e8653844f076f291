#include "cryoscape/density/displacement_field.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

namespace {

constexpr int kBox = 24;
constexpr double kPixel = 2, kWidth = 5;

std::vector<float> random_beads(int count, double radius, std::uint64_t seed) {
  Philox random(seed);
  std::vector<float> out;
  for (int i = 0; i < 3 * count; ++i) out.push_back(static_cast<float>(radius * (2 * random.uniform() - 1)));
  return out;
}

}  // namespace

TEST(DisplacementField, IsTheGaussianWeightedMean) {
  const auto beads = random_beads(30, 12, 1), moves = random_beads(30, 3, 2);
  const DisplacementField field(kBox, kPixel, beads, kWidth);
  ASSERT_EQ(field.step(), 1);
  std::vector<float> nodes(3 * field.nodes());
  field.spread(moves, 3, nodes);
  for (const auto& [x, y, z] : {std::array{12, 12, 12}, std::array{9, 14, 11}, std::array{16, 8, 13}}) {
    double sums[3] = {}, weights = std::exp(-4.5);
    for (std::size_t b = 0; b < 30; ++b) {
      const int at[3] = {x, y, z};
      double square = 0;
      for (int c = 0; c < 3; ++c) square += std::pow(kPixel * (at[c] - kBox / 2) - beads[3 * b + c], 2);
      if (square > 9 * kWidth * kWidth) continue;
      const double w = std::exp(-0.5 * square / (kWidth * kWidth));
      weights += w;
      for (int c = 0; c < 3; ++c) sums[c] += w * moves[3 * b + c];
    }
    const auto node = (static_cast<std::size_t>(z) * field.side() + y) * field.side() + x;
    for (int c = 0; c < 3; ++c) EXPECT_NEAR(nodes[3 * node + c], sums[c] / weights, 1e-5);
  }
}

TEST(DisplacementField, FadesFarFromAllBeads) {
  const std::vector<float> bead{-20, -20, -20}, move{5, 0, 0};
  const DisplacementField field(kBox, kPixel, bead, 3);
  std::vector<float> nodes(3 * field.nodes());
  field.spread(move, 3, nodes);
  EXPECT_EQ(nodes[3 * (field.nodes() - 1)], 0);
  // At the bead itself the mean is all but its own displacement.
  const auto node = (static_cast<std::size_t>(2) * field.side() + 2) * field.side() + 2;
  EXPECT_NEAR(nodes[3 * node], 5 / (1 + std::exp(-4.5)), 1e-4);
}

TEST(DisplacementField, CoversTheBoxWithEveryStep) {
  for (const double width : {3.0, 8.0, 13.0, 40.0}) {
    const DisplacementField field(kBox, kPixel, random_beads(3, 5, 3), width);
    EXPECT_GE((field.side() - 1) * field.step(), kBox - 1);
    EXPECT_LE(field.step() * kPixel, std::max(kPixel, width * 2 / 3));
  }
}

TEST(DisplacementField, TellsWhereSpaceFoldsOver) {
  // Beads on a line: a stretch keeps their order, two that change places do not.
  std::vector<float> beads, stretched, swapped;
  for (int i = -3; i <= 3; ++i) {
    const float x = static_cast<float>(4 * i);
    beads.insert(beads.end(), {x, 0, 0});
    stretched.insert(stretched.end(), {0.3f * x, 0, 0});
    swapped.insert(swapped.end(), {-3 * x, 0, 0});
  }
  const DisplacementField field(kBox, kPixel, beads, 4);
  ASSERT_EQ(field.step(), 1);
  EXPECT_EQ(field.folded(stretched), 0);
  EXPECT_GT(field.folded(swapped), 0.1);
}
