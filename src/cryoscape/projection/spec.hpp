#pragma once
#include <cmath>

namespace cryoscape::projection {

/// Grid and bead shape of a projection.
struct ProjectionSpec {
  int box = 0;           ///< pixels, even
  float pixel_size = 1;  ///< Å
  float sigma = 2;       ///< Å, standard deviation of a bead
  float cutoff = 1e-4f;  ///< a bead may be cut, in x and y separately, where exp(−r²/2σ²) is below this
};

/// Distance in pixels beyond which a bead may be cut: σ/a · sqrt(−2 ln cutoff).
inline double window_radius(const ProjectionSpec& spec) {
  return spec.sigma / spec.pixel_size * std::sqrt(-2 * std::log(static_cast<double>(spec.cutoff)));
}

/// A bead is drawn in the square of (2·reach + 1)² pixels about the pixel nearest to it, the smallest that
/// holds every pixel within window_radius in x and in y wherever the bead stands between pixels.
inline int window_reach(const ProjectionSpec& spec) { return static_cast<int>(window_radius(spec) + 0.5); }

}  // namespace cryoscape::projection
