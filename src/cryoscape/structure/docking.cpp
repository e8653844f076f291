#include "cryoscape/structure/docking.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/util/error.hpp"

namespace cryoscape::structure {
namespace {

double farthest(const geometry::Vec3& a, double b) {
  return std::max({std::abs(a[0] - b), std::abs(a[1] - b), std::abs(a[2] - b)});
}

/// Density of the beads on the map's grid.
std::vector<float> bead_density(const io::Volume& map, std::span<const float> x,
                                std::span<const float> amplitudes, double sigma) {
  std::vector<float> density(map.data.size(), 0.0f);
  const double a = map.pixel_size, reach = 3 * sigma / a;
  const int size[3] = {map.nx, map.ny, map.nz};
  for (std::size_t n = 0; n < amplitudes.size(); ++n) {
    double p[3];
    int low[3], high[3];
    for (int k = 0; k < 3; ++k) {
      p[k] = (x[3 * n + k] - map.origin[k]) / a;
      low[k] = std::max(0, static_cast<int>(std::ceil(p[k] - reach)));
      high[k] = std::min(size[k] - 1, static_cast<int>(std::floor(p[k] + reach)));
    }
    for (int z = low[2]; z <= high[2]; ++z)
      for (int y = low[1]; y <= high[1]; ++y)
        for (int i = low[0]; i <= high[0]; ++i) {
          const double r2 =
              ((i - p[0]) * (i - p[0]) + (y - p[1]) * (y - p[1]) + (z - p[2]) * (z - p[2])) * a * a;
          density[(static_cast<std::size_t>(z) * map.ny + y) * map.nx + i] +=
              static_cast<float>(amplitudes[n] * std::exp(-r2 / (2 * sigma * sigma)));
        }
  }
  return density;
}

double correlation(std::span<const float> a, std::span<const float> b) {
  double n = 0, sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] <= 0) continue;
    n += 1, sa += a[i], sb += b[i], saa += double(a[i]) * a[i], sbb += double(b[i]) * b[i],
        sab += double(a[i]) * b[i];
  }
  const double va = saa - sa * sa / n, vb = sbb - sb * sb / n;
  return n > 1 && va > 0 && vb > 0 ? (sab - sa * sb / n) / std::sqrt(va * vb) : 0.0;
}

}  // namespace

MapCorrelation correlate_with_map(const io::Volume& map, std::span<const float> coordinates,
                                  std::span<const float> amplitudes, double sigma) {
  std::vector<float> mirrored(coordinates.begin(), coordinates.end());
  const double twice_centre = 2 * (map.origin[2] + map.nz / 2 * map.pixel_size);
  for (std::size_t n = 2; n < mirrored.size(); n += 3)
    mirrored[n] = static_cast<float>(twice_centre - mirrored[n]);
  return {correlation(bead_density(map, coordinates, amplitudes, sigma), map.data),
          correlation(bead_density(map, mirrored, amplitudes, sigma), map.data)};
}

ModelCentre find_model_centre(std::span<const float> coordinates, double box_length,
                              const std::optional<io::MrcHeader>& map, std::optional<ModelOrigin> origin) {
  if (map) {
    ModelCentre c;
    const int size[3] = {map->nx, map->ny, map->nz};
    for (int k = 0; k < 3; ++k) c.centre[k] = map->origin[k] + size[k] / 2 * map->pixel_size;
    c.how = "placed by the map's header";
    return c;
  }
  const double half = box_length / 2;
  if (origin)
    return *origin == ModelOrigin::corner ? ModelCentre{{half, half, half}, "corner-based, as told"}
                                          : ModelCentre{{}, "centred, as told"};
  geometry::Vec3 centroid{};
  for (std::size_t i = 0; i < coordinates.size(); ++i)
    centroid[i % 3] += coordinates[i] / (static_cast<double>(coordinates.size()) / 3);
  if (farthest(centroid, half) <= box_length / 4)
    return {{half, half, half}, "corner-based: its centroid lies near the box's centre"};
  if (farthest(centroid, 0) <= box_length / 4) return {{}, "centred: its centroid lies near 0"};
  fail(
      "the model lies outside the particles' box of {:.0f} A (centroid {:.0f}, {:.0f}, {:.0f}): dock it into "
      "the consensus map and give "
      "--map, or say --model-origin corner or centre",
      box_length, centroid[0], centroid[1], centroid[2]);
}

std::vector<float> centred(std::span<const float> coordinates, const geometry::Vec3& centre) {
  std::vector<float> out(coordinates.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(coordinates[i] - centre[i % 3]);
  return out;
}

}  // namespace cryoscape::structure
