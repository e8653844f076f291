#include "cryoscape/density/deform_maps.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "cryoscape/density/fsc.hpp"
#include "cryoscape/density/test_motion.hpp"
#include "cryoscape/util/parallel.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

namespace {

constexpr int kBox = kMovingBox;

class Deform : public MovingParticles {
 protected:
  DeformMaps deform(std::span<const std::vector<float>> targets) {
    io::StackReader reader;
    return deform_half_maps(halves(), reader, moving_grid(), targets, 6);
  }
};

}  // namespace

TEST_F(Deform, WithoutMotionIsBackProjection) {
  simulate(600, 0.03, [](int) { return 0.0; });
  const std::vector<std::vector<float>> targets{beads_of(still_)};
  const auto bent = deform(targets);
  const auto straight = plain(0), truth = still_.map(kBox);
  // The two differ by how noise is interpolated, in the transform or in the images, and only by that.
  const auto same = map_correlation(kBox, bent.halves[0][0], straight);
  EXPECT_GT(*std::min_element(same.begin() + 1, same.begin() + 7), 0.985);
  const auto bent_fsc = map_correlation(kBox, bent.halves[0][0], truth),
             fsc = map_correlation(kBox, straight, truth);
  EXPECT_NEAR(mean_of(bent_fsc, 1, 12), mean_of(fsc, 1, 12), 0.01);
  const auto product = [&](const std::vector<float>& map) {
    return std::inner_product(map.begin(), map.end(), truth.begin(), 0.0);
  };
  EXPECT_NEAR(product(bent.halves[0][0]) / product(straight), 1, 0.02) << "the same scale";
  EXPECT_EQ(bent.folded[0], 0);
}

TEST_F(Deform, ARareConformationBorrowsFromAllParticles) {
  // 16 of 640 particles are displaced by 3 voxels, the others not at all.
  simulate(640, 0.15, [](int i) { return i % 40 < 2 ? 3.0 : 0.0; });
  const std::vector<std::vector<float>> targets{beads_of(moved(still_, 3))};
  const auto bent = deform(targets);
  const auto truth = moved(still_, 3).map(kBox), other = still_.map(kBox);
  const auto fsc = map_correlation(kBox, bent.halves[0][0], truth);
  EXPECT_GT(mean_of(fsc, 2, 8), mean_of(map_correlation(kBox, plain(0), truth), 2, 8) + 0.1);
  EXPECT_GT(mean_of(fsc, 2, 8), mean_of(map_correlation(kBox, bent.halves[0][0], other), 2, 8) + 0.1);
  EXPECT_GT(mean_of(fsc, 2, 6), 0.8);
}

TEST_F(Deform, NoiseGivesNoStructure) {
  // Whatever conformations noise is given, the same ones in both halves: only directions move, no density.
  simulate(400, -1.0, [](int i) { return 3.0 * (i % 7) / 6; });
  const std::vector<std::vector<float>> targets{beads_of(moved(still_, 1))};
  const auto bent = deform(targets);
  const auto fsc = map_correlation(kBox, bent.halves[0][0], bent.halves[0][1]);
  // Shells 4 to 15 have 200 to 2,800 independent values each: a mean of 0 to 0.015.
  EXPECT_NEAR(mean_of(fsc, 4, 16), 0, 0.05);
  EXPECT_NEAR(mean_of(map_correlation(kBox, bent.halves[0][0], still_.map(kBox)), 4, 16), 0, 0.05);
}

TEST_F(Deform, IsTheSameForAnyNumberOfThreads) {
  simulate(60, 0.5, [](int i) { return 0.05 * i; });
  const std::vector<std::vector<float>> targets{beads_of(still_), beads_of(moved(still_, 2))};
  set_thread_count(1);
  const auto one = deform(targets);
  set_thread_count(3);
  const auto three = deform(targets);
  set_thread_count(available_threads());
  for (int t = 0; t < 2; ++t)
    for (int h = 0; h < 2; ++h) EXPECT_EQ(one.halves[t][h], three.halves[t][h]);
}
