#include "cryoscape/density/mask.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/io/mrc.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::density {
namespace {

constexpr double kSamePixel = 2e-3;  ///< relative: headers hold rounded box lengths
constexpr double kCornerEdge = 3;    ///< voxels
constexpr float kSlack = 1e-3f;      ///< by which interpolated masks leave [0, 1]

}  // namespace

std::vector<float> soft_sphere(int box, double pixel_size, double diameter, double edge) {
  const double radius = diameter / 2 / pixel_size, width = edge / pixel_size;
  const auto d = static_cast<std::size_t>(box);
  std::vector<float> mask(d * d * d);
  parallel_for(d, [&](std::size_t z) {
    float* voxel = mask.data() + z * d * d;
    for (int y = 0; y < box; ++y)
      for (int x = 0; x < box; ++x, ++voxel) {
        const double out = std::hypot(x - box / 2, y - box / 2, static_cast<int>(z) - box / 2) - radius;
        const double share = std::clamp(out / width, 0.0, 1.0);
        *voxel = static_cast<float>(0.5 + 0.5 * std::cos(std::numbers::pi * share));
      }
  });
  return mask;
}

void clear_corners(int box, std::vector<float>& map) {
  const auto sphere = soft_sphere(box, 1, box, kCornerEdge);
  for (std::size_t i = 0; i < map.size(); ++i) map[i] *= sphere[i];
}

std::vector<float> read_map(const std::filesystem::path& path, int box, double pixel_size) {
  auto volume = io::read_mrc_volume(path);
  if (volume.nx != box || volume.ny != box || volume.nz != box)
    fail("{} has {} x {} x {} voxels, but the reconstruction has a box of {}", path.string(), volume.nx,
         volume.ny, volume.nz, box);
  if (std::abs(volume.pixel_size - pixel_size) > kSamePixel * pixel_size)
    fail("{} has voxels of {:.4f} A, but those of the reconstruction are {:.4f} A", path.string(),
         volume.pixel_size, pixel_size);
  return std::move(volume.data);
}

std::vector<float> read_mask(const std::filesystem::path& path, int box, double pixel_size) {
  auto mask = read_map(path, box, pixel_size);
  float lowest = 0, highest = 0;
  for (const float m : mask) {
    if (!std::isfinite(m)) fail("{} holds values that are not finite", path.string());
    lowest = std::min(lowest, m), highest = std::max(highest, m);
  }
  if (lowest < -kSlack || highest > 1 + kSlack || highest <= 0)
    fail("{} is no mask: its values reach from {:.3g} to {:.3g}, but a mask's lie between 0 and 1",
         path.string(), lowest, highest);
  for (float& m : mask) m = std::clamp(m, 0.0f, 1.0f);
  return mask;
}

}  // namespace cryoscape::density
