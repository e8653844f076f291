#include "cryoscape/landscape/surface.hpp"

#include <gtest/gtest.h>

#include "cryoscape/landscape/test_surfaces.hpp"

namespace cryoscape::landscape {
namespace {

TEST(Surface, DifferencesOfAQuadraticAreExact) {
  Eigen::MatrixXd a(3, 3);
  a << 4, 1, 0, 1, 3, -1, 0, -1, 2;
  const auto surface = flat_surface(3, [&](const Eigen::VectorXd& x) { return 0.5 * x.dot(a * x); });
  const Points points = Points::Random(3, 5);
  // Differences of a quadratic have no error but rounding, 1e-16 / 1e-4 for slopes and its square for
  // Hessians.
  EXPECT_LT((gradient(surface, points) - a * points).norm(), 1e-9);
  EXPECT_LT((hessian(surface, points.col(0)) - a).norm(), 1e-5);
  for (const auto& g : metrics(surface, points))
    EXPECT_LT((g - Eigen::MatrixXd::Identity(3, 3)).norm(), 1e-9);
}

TEST(Surface, MetricsAreThoseOfThePositions) {
  auto surface = flat_surface(2, [](const Eigen::VectorXd&) { return 0.0; });
  surface.position = [](const Points& x) {
    Points out(3, x.cols());
    out.row(0) = x.row(0).array().sin(), out.row(1) = 2 * x.row(1), out.row(2) = x.row(0);
    return out;
  };
  const auto g = metrics(surface, Eigen::Vector2d(0.3, -1)).front();
  EXPECT_NEAR(g(0, 0), std::pow(std::cos(0.3), 2) + 1, 1e-7);
  EXPECT_NEAR(g(1, 1), 4, 1e-7);
  EXPECT_NEAR(g(0, 1), 0, 1e-7);
}

TEST(Descend, ReachesTheMinimumOfAStiffValley) {
  // Rosenbrock's function has its only minimum, 0, at (1, 1).
  const auto surface = flat_surface(2, [](const Eigen::VectorXd& x) {
    return 100 * std::pow(x[1] - x[0] * x[0], 2) + std::pow(1 - x[0], 2);
  });
  Points starts(2, 4);
  starts << -1.2, 2, 0, 1, 1, -1, 3, 1;
  const auto ends = descend(surface, starts, {300, 5e-3, 1});
  for (Eigen::Index i = 0; i < ends.points.cols(); ++i) {
    EXPECT_LT((ends.points.col(i) - Eigen::Vector2d(1, 1)).norm(), 0.02);
    EXPECT_LT(ends.energies[i], 1e-4);
  }
}

TEST(Descend, StaysInTheBasinOfItsStart) {
  const auto surface =
      flat_surface(1, [](const Eigen::VectorXd& x) { return std::pow(x[0] * x[0] - 1, 2) * 3; });
  Points starts(1, 2);
  starts << -0.2, 0.3;
  const auto ends = descend(surface, starts, {300, 1e-6, 0.3});
  EXPECT_NEAR(ends.points(0, 0), -1, 1e-5);
  EXPECT_NEAR(ends.points(0, 1), 1, 1e-5);
}

}  // namespace
}  // namespace cryoscape::landscape
