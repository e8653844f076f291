#include "cryoscape/structure/far_pairs.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::structure;

namespace {

constexpr float kClash = 4, kNear = 12, kStiffness = 3;

/// A ball of beads on a jittered lattice 5 Å apart.
std::vector<float> ball(Philox& random) {
  std::vector<float> x;
  for (int i = -5; i <= 5; ++i)
    for (int j = -5; j <= 5; ++j)
      for (int k = -5; k <= 5; ++k)
        if (i * i + j * j + k * k <= 25)
          for (const int c : {i, j, k}) x.push_back(static_cast<float>(5 * c + 0.5 * random.normal()));
  return x;
}

float separation(const float* x, std::size_t i, std::size_t j) {
  return std::hypot(x[3 * i] - x[3 * j], x[3 * i + 1] - x[3 * j + 1], x[3 * i + 2] - x[3 * j + 2]);
}

/// What moves: nothing; two halves into each other; every bead for itself.
enum class Motion { none, halves, wild };

std::vector<float> moved(std::span<const float> reference, Motion motion, Philox& random) {
  std::vector<float> x(reference.begin(), reference.end());
  const auto shift = static_cast<float>(9 + 5 * random.uniform());
  for (std::size_t v = 0; v < x.size(); ++v) {
    if (motion == Motion::halves && reference[v / 3 * 3] > 0 && v % 3 == 0) x[v] -= shift;
    if (motion == Motion::wild) x[v] += static_cast<float>(4 * random.normal());
  }
  return x;
}

}  // namespace

TEST(FarPairs, FindsEveryClashOfPairsThatAreFarApartInTheReference) {
  Philox random(1);
  const auto reference = ball(random);
  const std::size_t beads = reference.size() / 3, values = reference.size(),
                    lanes = static_cast<std::size_t>(restraint_lanes());
  PairList none;
  none.start.assign(beads + 1, 0);
  PairList near = none;
  for (std::size_t i = 0; i < beads; ++i) {
    for (std::size_t j = i + 1; j < beads; ++j)
      if (separation(reference.data(), i, j) < kNear) near.partner.push_back(static_cast<std::int32_t>(j));
    near.start[i + 1] = static_cast<std::int32_t>(near.partner.size());
  }
  const std::vector<float> radii(beads, kClash / 2);
  const FarPairs far(reference, kNear, kClash);
  FarPairs::Scratch scratch;
  for (const auto motion : {Motion::none, Motion::halves, Motion::wild}) {
    std::vector<float> x(values * lanes), gradient(values * lanes), counted(lanes, 1);
    std::vector<double> energy(lanes), expected(lanes), expected_gradient(values * lanes);
    for (std::size_t s = 0; s < lanes; ++s) {
      const auto one = moved(reference, motion, random);
      for (std::size_t v = 0; v < values; ++v) x[v * lanes + s] = one[v];
      for (std::size_t i = 0; i < beads; ++i)
        for (std::size_t j = i + 1; j < beads; ++j) {
          const double d = separation(one.data(), i, j), overlap = kClash - d;
          if (overlap <= 0 || separation(reference.data(), i, j) < kNear) continue;
          expected[s] += kStiffness * overlap * overlap;
          for (std::size_t k = 0; k < 3; ++k) {
            const double pull = -2 * kStiffness * overlap / d * (one[3 * i + k] - one[3 * j + k]);
            expected_gradient[(3 * i + k) * lanes + s] += pull;
            expected_gradient[(3 * j + k) * lanes + s] -= pull;
          }
        }
    }
    far.push_apart(near, radii, kStiffness, {x.data(), gradient.data(), energy.data(), counted.data()},
                   scratch);
    for (std::size_t s = 0; s < lanes; ++s) {
      EXPECT_NEAR(energy[s], expected[s], 1e-4 * expected[s]);
      EXPECT_EQ(expected[s] > 0, motion != Motion::none);
    }
    for (std::size_t v = 0; v < gradient.size(); ++v)
      EXPECT_NEAR(gradient[v], expected_gradient[v], 1e-3 + 1e-4 * std::abs(expected_gradient[v]));
    EXPECT_EQ(scratch.meetings.empty(), motion == Motion::none);
  }
}
