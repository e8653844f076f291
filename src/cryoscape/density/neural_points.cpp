#include "cryoscape/density/neural_points.hpp"

#include <algorithm>
#include <cmath>

namespace cryoscape::density {
namespace {

constexpr double kFollowing = 0.7;  ///< of the points follow the density
constexpr double kThreshold = 0.1;  ///< of the maximum

/// Running sums over the voxels of the density above the threshold inside the ball.
std::vector<double> cumulative_density(int box, std::span<const float> map, double radius) {
  std::vector<double> cumulative;
  cumulative.reserve(map.size());
  const double threshold = kThreshold * std::max(0.0f, *std::max_element(map.begin(), map.end()));
  double sum = 0;
  for (int z = 0; z < box; ++z)
    for (int y = 0; y < box; ++y)
      for (int x = 0; x < box; ++x) {
        const bool inside = std::hypot(x - box / 2, y - box / 2, z - box / 2) < radius;
        if (inside) sum += std::max(0.0, map[cumulative.size()] - threshold);
        cumulative.push_back(sum);
      }
  return cumulative;
}

}  // namespace

std::vector<float> draw_points(int box, std::span<const float> map, double radius, int count,
                               Philox& random) {
  const auto cumulative = cumulative_density(box, map, radius);
  const int following = cumulative.back() > 0 ? static_cast<int>(kFollowing * count) : 0;
  std::vector<float> points;
  for (int i = 0; i < following; ++i) {
    const auto found =
        std::upper_bound(cumulative.begin(), cumulative.end(), cumulative.back() * random.uniform());
    const auto at = std::min<std::size_t>(found - cumulative.begin(), cumulative.size() - 1);
    const std::size_t place[3] = {at % box, at / box % box, at / box / box};
    for (const auto p : place)  // anywhere in the voxel
      points.push_back(static_cast<float>(static_cast<double>(p) - box / 2 + random.uniform() - 0.5));
  }
  for (int i = following; i < count; ++i) {
    double direction[3], square = 0;
    for (double& c : direction) c = random.normal(), square += c * c;
    const double length = radius * std::cbrt(random.uniform()) / std::sqrt(square);
    for (const double c : direction) points.push_back(static_cast<float>(length * c));
  }
  return points;
}

}  // namespace cryoscape::density
