#include "cryoscape/density/residue_correlation.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/density/test_particles.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

TEST(BeadCorrelations, AreOneWhereTheMapHoldsTheModel) {
  constexpr int kBox = 24;
  constexpr double kPixel = 1.5;
  auto molecule = random_gaussians(6, 7, 4);
  molecule.sigma = 2;
  auto map = molecule.map(kBox);
  std::vector<float> beads, amplitudes;
  for (std::size_t n = 0; n < molecule.centres.size(); ++n) {
    for (const double c : molecule.centres[n]) beads.push_back(static_cast<float>(kPixel * c));
    amplitudes.push_back(static_cast<float>(molecule.amplitudes[n]));
  }
  const auto same = bead_correlations(kBox, kPixel, map, beads, amplitudes, kPixel * 2, 5);
  for (const double c : same) EXPECT_GT(c, 0.999);

  // A bead that is not in the map stands alone with a low one; one outside the box has none.
  beads.insert(beads.end(), {-11, -11, -11, 500, 0, 0});
  amplitudes.insert(amplitudes.end(), {1, 1});
  Philox random(2);
  for (auto& v : map) v += static_cast<float>(1e-4 * random.normal());
  const auto more = bead_correlations(kBox, kPixel, map, beads, amplitudes, kPixel * 2, 5);
  EXPECT_LT(std::abs(more[6]), 0.5);
  EXPECT_TRUE(std::isnan(more[7]));
  for (int b = 0; b < 6; ++b) EXPECT_GT(more[b], 0.98);
}
