#include "cryoscape/landscape/string_path.hpp"

#include <gtest/gtest.h>

#include "cryoscape/landscape/test_surfaces.hpp"

namespace cryoscape::landscape {
namespace {

double energy_of(const Stationary& point) { return point.energy / kMuellerScale; }

TEST(StringPath, FindsTheSaddlesOfMuellerAndBrown) {
  const auto surface = flat_surface(2, mueller_brown);
  const auto basins = find_basins(surface, mueller_samples());
  ASSERT_EQ(basins.minima.size(), 3u);
  const struct {
    std::size_t a, b;
    Stationary saddle;
  } cases[] = {{1, 2, kMuellerSaddles[0]}, {0, 2, kMuellerSaddles[1]}, {0, 1, kMuellerSaddles[1]}};
  for (const auto& c : cases) {
    const auto path = string_path(surface, start_path(basins, c.a, c.b), {.images = 25, .iterations = 400});
    EXPECT_TRUE(path.converged);
    EXPECT_NEAR(path.saddle_energy(), energy_of(c.saddle), 1e-3);
    EXPECT_NEAR(path.images(0, path.highest), c.saddle.x, 2e-3);
    EXPECT_NEAR(path.images(1, path.highest), c.saddle.y, 2e-3);
    EXPECT_EQ(path.images.col(0), basins.minima[c.a].point);
    EXPECT_EQ(path.images.col(path.images.cols() - 1), basins.minima[c.b].point);
  }
}

TEST(StringPath, ImagesAreEvenlySpacedInAngstrom) {
  auto surface = flat_surface(2, mueller_brown);
  surface.position = [](const Points& x) { return Points(3 * x); };
  const auto basins = find_basins(surface, mueller_samples());
  const auto path = string_path(surface, start_path(basins, 0, 1));
  const double mean = path.lengths.back() / static_cast<double>(path.lengths.size() - 1);
  for (Eigen::Index i = 1; i < path.images.cols(); ++i) {
    if (i == path.highest || i == path.highest + 1) continue;  // the saddle has left its place
    EXPECT_NEAR(path.lengths[static_cast<std::size_t>(i)] - path.lengths[static_cast<std::size_t>(i - 1)],
                mean, 0.05 * mean);
  }
}

TEST(StringPath, DoesNotDependOnCoordinates) {
  // The same energy on a plane seen in plain and in stretched coordinates u = (x + x³, y/2): the barrier and
  // the places of the saddle and of the path's middle are the same.
  const auto energy = [](const Eigen::VectorXd& x) {
    return 4 * std::pow(x[0] * x[0] - 1, 2) + 6 * std::pow(x[1] - std::cos(1.5 * x[0]) + 0.2 * x[0], 2);
  };
  const auto plain = flat_surface(2, energy);
  const auto place = [](const Points& u) {
    Points x = u;
    for (Eigen::Index i = 0; i < u.cols(); ++i) {
      double v = u(0, i) / 2;  // x + x³ = u by Newton
      for (int k = 0; k < 60; ++k) v -= (v + v * v * v - u(0, i)) / (1 + 3 * v * v);
      x(0, i) = v, x(1, i) = 2 * u(1, i);
    }
    return x;
  };
  Surface stretched{2, [&](const Points& u) { return plain.energy(place(u)); }, place, 1e-4};
  Points start(2, 2), stretched_start(2, 2);
  start << -1, 1, 0.2, 0.2;
  start = descend(plain, start, {300, 1e-7, 0.2}).points;
  stretched_start.row(0) = start.row(0).array() + start.row(0).array().cube();
  stretched_start.row(1) = start.row(1) / 2;
  const StringLimits limits{.images = 31, .iterations = 2000, .force = 0.01};
  const auto a = string_path(plain, start, limits), b = string_path(stretched, stretched_start, limits);
  EXPECT_NEAR(a.saddle_energy(), b.saddle_energy(), 1e-4);
  const Points same = place(b.images);
  for (Eigen::Index i = 0; i < same.cols(); ++i)
    if (i != a.highest && i != b.highest) {
      EXPECT_LT((same.col(i) - a.images.col(i)).norm(), 0.02) << i;
    }
  EXPECT_LT((same.col(b.highest) - a.images.col(a.highest)).norm(), 2e-3);
}

TEST(StringPath, WithoutABarrierTheHighestImageIsAnEnd) {
  const auto surface = flat_surface(1, [](const Eigen::VectorXd& x) { return x[0] * x[0]; });
  Points start(1, 2);
  start << 0, 1;
  const auto path = string_path(surface, start);
  EXPECT_EQ(path.highest, path.images.cols() - 1);
  EXPECT_NEAR(path.saddle_energy(), 1, 1e-12);
}

TEST(StartPath, AGraphInPartsGivesAStraightLine) {
  Basins basins;
  basins.minima = {{Eigen::VectorXd::Constant(1, 0), Eigen::VectorXd::Constant(1, 0), 0, 0.5},
                   {Eigen::VectorXd::Constant(1, 9), Eigen::VectorXd::Constant(1, 9), 0, 0.5}};
  basins.graph.points = basins.graph.positions = (Points(1, 4) << 0, 0.1, 9, 9.1).finished();
  basins.graph.energies = Eigen::VectorXd::Zero(4);
  basins.graph.neighbours = {{1}, {0}, {3}, {2}};
  EXPECT_EQ(start_path(basins, 0, 1), (Points(1, 2) << 0, 9).finished());
}

}  // namespace
}  // namespace cryoscape::landscape
