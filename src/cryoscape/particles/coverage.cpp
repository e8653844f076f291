#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/particles/inspection.hpp"

namespace cryoscape::particles {
namespace {

constexpr int kRings = 9;  ///< from the pole to the equator
constexpr double kPi = std::numbers::pi;

/// Bins of about equal area and 10 degrees on the hemisphere: rings of equal width, each cut by its length.
class Hemisphere {
 public:
  Hemisphere() {
    for (int ring = 0; ring < kRings; ++ring) {
      const double top = ring * kPi / 2 / kRings, bottom = (ring + 1) * kPi / 2 / kRings,
                   middle = (top + bottom) / 2;
      const int cells = std::max(1, static_cast<int>(std::lround(4 * kRings * std::sin(middle))));
      first_.push_back(static_cast<int>(share_.size()));
      cells_.push_back(cells);
      for (int c = 0; c < cells; ++c) {
        const double phi = 2 * kPi * (c + 0.5) / cells;
        share_.push_back((std::cos(top) - std::cos(bottom)) / cells);
        centre_.push_back(
            {std::sin(middle) * std::cos(phi), std::sin(middle) * std::sin(phi), std::cos(middle)});
      }
    }
  }
  std::size_t size() const { return share_.size(); }
  double share(std::size_t bin) const { return share_[bin]; }
  const geometry::Vec3& centre(std::size_t bin) const { return centre_[bin]; }

  std::size_t bin(double x, double y, double z) const {
    if (z < 0) x = -x, y = -y, z = -z;
    const double theta = std::acos(std::min(1.0, z));
    const int ring = std::min(kRings - 1, static_cast<int>(theta / (kPi / 2) * kRings));
    const double turn = std::atan2(y, x) / (2 * kPi);
    const int cell =
        std::min(cells_[ring] - 1, static_cast<int>((turn < 0 ? turn + 1 : turn) * cells_[ring]));
    return static_cast<std::size_t>(first_[ring] + cell);
  }

 private:
  std::vector<int> first_, cells_;
  std::vector<double> share_;  ///< of the hemisphere's area
  std::vector<geometry::Vec3> centre_;
};

/// Over directions of Fourier space: the least number of central slices that pass within half a bin, relative
/// to uniform views.
double least_sampled(const Hemisphere& sphere, const std::vector<double>& counts) {
  const double near = std::sin(kPi / 4 / kRings);
  double least = 1e30;
  for (std::size_t f = 0; f < sphere.size(); ++f) {
    double slices = 0, even = 0;
    for (std::size_t v = 0; v < sphere.size(); ++v) {
      const auto &a = sphere.centre(f), &b = sphere.centre(v);
      if (std::abs(a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) > near) continue;
      slices += counts[v];
      even += sphere.share(v);
    }
    if (even > 0) least = std::min(least, slices / even);
  }
  return least;
}

}  // namespace

PoseCoverage measure_coverage(const ParticleSet& set) {
  const Hemisphere sphere;
  constexpr int kPlaneBins = 36;
  std::vector<double> counts(sphere.size(), 0);
  std::vector<char> turned(kPlaneBins, 0);
  for (const auto& p : set.particles) {
    geometry::Mat3 r;
    std::copy(p.rotation.begin(), p.rotation.end(), r.begin());
    counts[sphere.bin(r[6], r[7], r[8])] += 1;  // the viewing direction in the particle's frame
    const double turn = geometry::euler_from_rotation(r)[2] / (2 * kPi);
    turned[std::min(kPlaneBins - 1, static_cast<int>((turn - std::floor(turn)) * kPlaneBins))] = 1;
  }
  const auto n = static_cast<double>(set.size());
  PoseCoverage coverage;
  coverage.bins = sphere.size();
  for (std::size_t b = 0; b < sphere.size(); ++b) {
    coverage.filled += counts[b] > 0;
    coverage.expected_filled += 1 - std::pow(1 - sphere.share(b), n);
    coverage.largest_excess = std::max(coverage.largest_excess, counts[b] / (n * sphere.share(b)));
  }
  coverage.least_sampled = least_sampled(sphere, counts) / n;
  coverage.in_plane_filled = static_cast<double>(std::count(turned.begin(), turned.end(), 1)) / kPlaneBins;
  return coverage;
}

}  // namespace cryoscape::particles
