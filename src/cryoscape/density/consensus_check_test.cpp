#include "cryoscape/density/consensus_check.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/density/test_particles.hpp"
#include "cryoscape/io/mrc.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

namespace {

constexpr int kBox = 32;

/// Particles and their map.
struct Consensus {
  std::filesystem::path folder = particles::test_folder();
  Gaussians truth = random_gaussians(10, 7, 1);
  particles::ParticleSet set = simulated_set(folder, truth, kBox, 400, 0.1);

  std::filesystem::path map(float sign = 1, int box = kBox) const {
    io::Volume v;
    v.nx = v.ny = v.nz = box, v.pixel_size = 2, v.data = truth.map(box);
    for (auto& x : v.data) x *= sign;
    io::write_mrc(folder / "map.mrc", v);
    return folder / "map.mrc";
  }
};

}  // namespace

TEST(ConsensusCheck, FindsTheMapThatPosesComeFrom) {
  const Consensus c;
  const auto right = check_consensus(c.set, c.map(), 200);
  EXPECT_EQ(right.particles, 200u);
  EXPECT_FALSE(right.dark);
  EXPECT_GT(right.fsc[3], 0.9);
  EXPECT_LT(right.resolution, 10);
  const auto inverted = check_consensus(c.set, c.map(-1), 200);
  EXPECT_TRUE(inverted.dark);
  EXPECT_NEAR(inverted.resolution, right.resolution, 1e-6);
}

TEST(ConsensusCheck, TellsWrongPoses) {
  Consensus c;
  for (auto& p : c.set.particles)
    std::swap(p.rotation[1], p.rotation[3]), std::swap(p.rotation[2], p.rotation[6]),
        std::swap(p.rotation[5], p.rotation[7]);
  EXPECT_GT(check_consensus(c.set, c.map()).resolution, 20);
}

TEST(ConsensusCheck, RefusesAMapOfAnotherBox) {
  const Consensus c;
  EXPECT_THROW(check_consensus(c.set, c.map(1, 24)), Error);
}
