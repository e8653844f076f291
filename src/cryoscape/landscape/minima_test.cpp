#include "cryoscape/landscape/minima.hpp"

#include <gtest/gtest.h>

#include "cryoscape/landscape/test_clouds.hpp"
#include "cryoscape/landscape/test_surfaces.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::landscape {
namespace {

TEST(FindBasins, FindsTheMinimaOfMuellerAndBrown) {
  const auto basins = find_basins(flat_surface(2, mueller_brown), mueller_samples());
  ASSERT_EQ(basins.minima.size(), 3u);
  for (std::size_t m = 0; m < 3; ++m) {
    const auto& known = kMuellerMinima[m];
    EXPECT_NEAR(basins.minima[m].point[0], known.x, 1e-3);
    EXPECT_NEAR(basins.minima[m].point[1], known.y, 1e-3);
    EXPECT_NEAR(basins.minima[m].energy, (known.energy - kMuellerMinima[0].energy) / kMuellerScale, 1e-5);
  }
  EXPECT_NEAR(basins.offset, kMuellerMinima[0].energy / kMuellerScale, 1e-5);
}

TEST(FindBasins, PopulationsAreThoseOfTheSamples) {
  // Far apart, each sample belongs to the Gaussian that it was drawn from.
  const auto samples = gaussians({0.7, 0.3}, {{-3, 0}, {3, 0}}, {0.7, 0.7}, 1000, 4);
  const auto energy = [](const Eigen::VectorXd& x) {
    const auto gaussian = [&](double at) {
      return std::exp(-(x - Eigen::Vector2d(at, 0)).squaredNorm() / 0.98);
    };
    return -std::log(0.7 * gaussian(-3) + 0.3 * gaussian(3));
  };
  const auto basins = find_basins(flat_surface(2, energy), samples);
  ASSERT_EQ(basins.minima.size(), 2u);
  const double right = static_cast<double>((samples.row(0).array() > 0).count()) / 1000;
  EXPECT_NEAR(basins.minima[1].population, right, 2.5e-3);
  EXPECT_NEAR(basins.minima[0].population + basins.minima[1].population, 1, 1e-9);
  EXPECT_NEAR(basins.minima[1].energy, std::log(0.7 / 0.3), 1e-3);

  Points positions(2, 2);
  positions << 2.5, -2.5, 0.3, 0.1;
  EXPECT_EQ(assign_basins(basins.graph, positions), (std::vector{1, 0}));
}

TEST(FindBasins, OneGaussianIsOneBasin) {
  const auto basins =
      find_basins(flat_surface(3, [](const Eigen::VectorXd& x) { return 0.5 * x.squaredNorm(); }),
                  gaussians({1}, {{0, 0, 0}}, {1}, 800, 5));
  ASSERT_EQ(basins.minima.size(), 1u);
  EXPECT_LT(basins.minima[0].point.norm(), 0.01);
  EXPECT_NEAR(basins.minima[0].population, 1, 1e-9);
}

TEST(MergeMinimum, HandsItsSamplesOn) {
  auto basins = find_basins(flat_surface(2, mueller_brown), mueller_samples());
  const auto before = basins;
  merge_minimum(basins, 1, 2);
  ASSERT_EQ(basins.minima.size(), 2u);
  EXPECT_NEAR(basins.minima[1].population, before.minima[1].population + before.minima[2].population, 1e-12);
  for (std::size_t i = 0; i < before.graph.basin.size(); ++i)
    EXPECT_EQ(basins.graph.basin[i], before.graph.basin[i] == 0 ? 0 : 1);
}

TEST(FindBasins, NeedsSamples) {
  EXPECT_NE(error_of([] { find_basins(flat_surface(2, mueller_brown), Points(2, 1)); }).find("samples"),
            std::string::npos);
}

}  // namespace
}  // namespace cryoscape::landscape
