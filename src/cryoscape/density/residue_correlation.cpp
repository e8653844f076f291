#include "cryoscape/density/residue_correlation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "cryoscape/util/parallel.hpp"

namespace cryoscape::density {
namespace {

constexpr double kReach = 4;  ///< standard deviations of a bead that are drawn

/// Calls body(index, squared distance in Å²) for the voxels of a box within `radius` Å of a point (Å from
/// the map's centre).
template <class Body>
void for_near(int box, double pixel_size, const float* point, double radius, Body&& body) {
  std::array<double, 3> at{};
  std::array<int, 3> first{}, last{};
  for (int c = 0; c < 3; ++c) {
    at[c] = point[c] / pixel_size + box / 2;
    first[c] = std::max(0, static_cast<int>(std::ceil(at[c] - radius / pixel_size)));
    last[c] = std::min(box - 1, static_cast<int>(std::floor(at[c] + radius / pixel_size)));
  }
  for (int z = first[2]; z <= last[2]; ++z)
    for (int y = first[1]; y <= last[1]; ++y)
      for (int x = first[0]; x <= last[0]; ++x) {
        const double square =
            pixel_size * pixel_size *
            ((x - at[0]) * (x - at[0]) + (y - at[1]) * (y - at[1]) + (z - at[2]) * (z - at[2]));
        if (square <= radius * radius) body((static_cast<std::size_t>(z) * box + y) * box + x, square);
      }
}

}  // namespace

std::vector<double> bead_correlations(int box, double pixel_size, std::span<const float> map,
                                      std::span<const float> beads, std::span<const float> amplitudes,
                                      double sigma, double radius) {
  std::vector<float> model(map.size(), 0.0f);
  for (std::size_t b = 0; b < amplitudes.size(); ++b)
    for_near(box, pixel_size, beads.data() + 3 * b, kReach * sigma, [&](std::size_t at, double square) {
      model[at] += amplitudes[b] * static_cast<float>(std::exp(-0.5 * square / (sigma * sigma)));
    });
  std::vector<double> out(amplitudes.size());
  parallel_for(out.size(), [&](std::size_t b) {
    double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for_near(box, pixel_size, beads.data() + 3 * b, radius, [&](std::size_t at, double) {
      const double u = map[at], v = model[at];
      n += 1, x += u, y += v, xx += u * u, yy += v * v, xy += u * v;
    });
    const double spread = (xx - x * x / n) * (yy - y * y / n);
    out[b] =
        n > 1 && spread > 0 ? (xy - x * y / n) / std::sqrt(spread) : std::numeric_limits<double>::quiet_NaN();
  });
  return out;
}

}  // namespace cryoscape::density
