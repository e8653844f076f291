#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/projection/kernel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::bench {

/// A compact globule of `beads` residues at 135 Å³ each, and one image of it on one core.
struct Globule {
  projection::ProjectionSpec spec;
  std::vector<float> amplitudes, coordinates, image, gradient;
  std::array<float, 9> rotation;
  std::array<float, 2> shift{0.3f, -0.7f};

  Globule(int beads, int box) {
    spec.box = box;
    const double radius = std::cbrt(135.0 * beads * 3 / (4 * std::numbers::pi));
    Philox random(1);
    const auto r = geometry::random_rotation(random);
    std::copy(r.begin(), r.end(), rotation.begin());
    while (coordinates.size() < 3 * static_cast<std::size_t>(beads)) {
      double x[3], square = 0;
      for (double& v : x) v = 2 * random.uniform() - 1, square += v * v;
      if (square > 1) continue;
      for (const double v : x) coordinates.push_back(static_cast<float>(radius * v));
    }
    amplitudes.assign(beads, 50);
    image.resize(static_cast<std::size_t>(box) * box);
    for (auto& v : image) v = static_cast<float>(random.normal());
    gradient.resize(coordinates.size());
  }

  /// Pixels in the windows of all beads: the multiply-adds that one image needs.
  double window_pixels() const {
    const double reach = projection::window_reach(spec);
    double sum = 0;
    for (std::size_t n = 0; n < amplitudes.size(); ++n) {
      double pixels = 1;
      for (int k = 0; k < 2; ++k) {
        const float *r = rotation.data() + 3 * k, *x = coordinates.data() + 3 * n;
        const double p = std::round((r[0] * x[0] + r[1] * x[1] + r[2] * x[2] - shift[k]) / spec.pixel_size +
                                    0.5 * spec.box);
        pixels *= std::max(0.0, std::min(spec.box - 1.0, p + reach) - std::max(0.0, p - reach) + 1);
      }
      sum += pixels;
    }
    return sum;
  }
};

}  // namespace cryoscape::bench
