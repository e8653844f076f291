#pragma once
#include <cmath>
#include <numbers>
#include <vector>

#include "cryoscape/landscape/mixture.hpp"
#include "cryoscape/util/random.hpp"

/// Clouds of points for this room's tests.
namespace cryoscape::landscape {

/// Isotropic Gaussians with weights, centres and standard deviations.
inline Points gaussians(const std::vector<double>& weights, const std::vector<std::vector<double>>& centres,
                        const std::vector<double>& deviations, Eigen::Index count, std::uint64_t seed) {
  Philox random(seed, 77);
  Points points(static_cast<Eigen::Index>(centres[0].size()), count);
  for (Eigen::Index i = 0; i < count; ++i) {
    std::size_t k = 0;
    for (double u = random.uniform(); k + 1 < weights.size() && u > weights[k]; ++k) u -= weights[k];
    for (Eigen::Index a = 0; a < points.rows(); ++a)
      points(a, i) = centres[k][static_cast<std::size_t>(a)] + deviations[k] * random.normal();
  }
  return points;
}

/// Uniform along half a circle of radius 3, with a width of 0.3 in three dimensions.
inline Points banana(Eigen::Index count, std::uint64_t seed) {
  Philox random(seed, 78);
  Points points(3, count);
  for (Eigen::Index i = 0; i < count; ++i) {
    const double angle = std::numbers::pi * random.uniform();
    points.col(i) << 3 * std::cos(angle), 3 * std::sin(angle), 0;
    for (double& x : points.col(i)) x += 0.3 * random.normal();
  }
  return points;
}

/// Uniform along a segment of length 6, with a width of 0.3 in three dimensions.
inline Points segment(Eigen::Index count, std::uint64_t seed) {
  Philox random(seed, 79);
  Points points(3, count);
  for (Eigen::Index i = 0; i < count; ++i) {
    points.col(i) << 6 * random.uniform(), 0, 0;
    for (double& x : points.col(i)) x += 0.3 * random.normal();
  }
  return points;
}

}  // namespace cryoscape::landscape
