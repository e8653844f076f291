#include "cryoscape/density/neural_consensus.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "cryoscape/density/fsc.hpp"
#include "cryoscape/density/test_particles.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

namespace {

constexpr int kBox = 16;

Consensus consensus_of(const particles::ParticleSet& set) {
  std::vector<std::uint32_t> members(set.size());
  std::iota(members.begin(), members.end(), 0u);
  io::StackReader reader;
  return measure_consensus(set, reader, {kBox, 2, 0.95 * kBox * 2, 1},
                           {std::vector<double>(kBox / 2 + 1, kBox * kBox)}, members);
}

}  // namespace

TEST(Consensus, HasTheTruthsAmplitudesAndDensity) {
  constexpr double kNoise = 0.2;
  const auto truth = random_gaussians(8, 4, 2);
  const auto found = consensus_of(simulated_set(particles::test_folder(), truth, kBox, 300, kNoise));
  const auto& scale = found.amplitudes;
  ASSERT_EQ(scale.size(), kBox / 2 + 1u);
  Philox random(3);
  for (int s = 2; s <= 4; ++s) {
    double power = 0;
    constexpr int kPoints = 2000;
    for (int shell = s - 1; shell <= s + 1; ++shell)
      for (int i = 0; i < kPoints; ++i) {
        const auto turn = random_turn(random);
        power += std::norm(truth.transform({shell * turn[0], shell * turn[1], shell * turn[2]}, kBox));
      }
    // Images have noise of unit variance. Shells have a width, over which the transform falls.
    const double expected = std::sqrt(power / (3 * kPoints)) / kNoise;
    EXPECT_NEAR(scale[s] / expected, 1, 0.25) << s;
  }
  const auto correlation = map_correlation(kBox, found.map, truth.map(kBox));
  for (int s = 1; s <= 2; ++s) EXPECT_GT(correlation[s], 0.9) << s;
}

TEST(Consensus, IsSmallWhereThereIsOnlyNoise) {
  const Gaussians nothing;
  const auto scale = consensus_of(simulated_set(particles::test_folder(), nothing, kBox, 300, 1)).amplitudes;
  // A map of 150 views of weight ½ spread over shell 4's coefficients: noise of D·(2 · 4s/(150))^½, 7; the
  // scale is a tenth of that to, by what two such maps have in common by chance, a half.
  for (int s = 3; s < kBox / 2; ++s) {
    EXPECT_GT(scale[s], 0.2) << s;
    EXPECT_LT(scale[s], 7) << s;
  }
}

TEST(Consensus, RefusesParticlesThatCannotBeUsed) {
  auto set = particles::set_of(particles::test_folder(), "p.mrcs", kBox, 2,
                               {2, std::vector<float>(kBox * kBox, 1.0f)});
  EXPECT_THROW(consensus_of(set), Error);
}
