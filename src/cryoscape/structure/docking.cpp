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

}  // namespace

ModelCentre find_model_centre(std::span<const float> coordinates, double box_length, const std::optional<io::MrcHeader>& map,
                              std::optional<ModelOrigin> origin) {
  if (map) {
    ModelCentre c;
    const int size[3] = {map->nx, map->ny, map->nz};
    for (int k = 0; k < 3; ++k) c.centre[k] = map->origin[k] + size[k] / 2 * map->pixel_size;
    c.how = "placed by the map's header";
    return c;
  }
  const double half = box_length / 2;
  if (origin) return *origin == ModelOrigin::corner ? ModelCentre{{half, half, half}, "corner-based, as told"} : ModelCentre{{}, "centred, as told"};
  geometry::Vec3 centroid{};
  for (std::size_t i = 0; i < coordinates.size(); ++i) centroid[i % 3] += coordinates[i] / (static_cast<double>(coordinates.size()) / 3);
  if (farthest(centroid, half) <= box_length / 4) return {{half, half, half}, "corner-based: its centroid lies near the box's centre"};
  if (farthest(centroid, 0) <= box_length / 4) return {{}, "centred: its centroid lies near 0"};
  fail("the model lies outside the particles' box of {:.0f} A (centroid {:.0f}, {:.0f}, {:.0f}): dock it into the consensus map and give "
       "--map, or say --model-origin corner or centre",
       box_length, centroid[0], centroid[1], centroid[2]);
}

std::vector<float> centred(std::span<const float> coordinates, const geometry::Vec3& centre) {
  std::vector<float> out(coordinates.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(coordinates[i] - centre[i % 3]);
  return out;
}

}  // namespace cryoscape::structure
