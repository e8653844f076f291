#include "cryoscape/density/grid.hpp"

#include <algorithm>

#include "cryoscape/density/mask.hpp"
#include "cryoscape/io/mrc.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/memory.hpp"

namespace cryoscape::density {
namespace {

constexpr int kLeastBox = 16;
constexpr double kDiameter = 0.9;  ///< of the box, unless told
constexpr double kMaskEdge = 5;    ///< voxels

}  // namespace

particles::ImageGrid choose_grid(const DensityOptions& options, const particles::ParticleSet& set) {
  // The most frequent optics group is the measure.
  std::vector<std::size_t> counts(set.optics_groups.size());
  for (const auto& p : set.particles) ++counts[p.optics_group];
  const auto& group = set.optics_groups[std::max_element(counts.begin(), counts.end()) - counts.begin()];
  if (options.box % 2) fail("--box is {}, but must be even", options.box);
  if (options.box > group.box)
    fail("--box is {}, but the images have only {} pixels", options.box, group.box);
  particles::ImageGrid grid;
  grid.box = options.box > 0 ? options.box : group.box;
  if (grid.box < kLeastBox)
    fail("a box of {} pixels is too small for a map: at least {}", grid.box, kLeastBox);
  const double extent = group.box * group.pixel_size;
  grid.pixel_size = extent / grid.box;
  grid.diameter = options.diameter > 0 ? options.diameter : kDiameter * extent;
  if (grid.diameter > extent)
    fail("--diameter is {:.0f} A, but the box is only {:.0f} A wide: no background is left", grid.diameter,
         extent);
  grid.sign = options.invert ? -1.0f : 1.0f;
  return grid;
}

std::vector<float> fsc_mask(const DensityOptions& options, const particles::ImageGrid& grid) {
  if (options.mask) return read_mask(*options.mask, grid.box, grid.pixel_size);
  return soft_sphere(grid.box, grid.pixel_size, grid.diameter, kMaskEdge * grid.pixel_size);
}

void check_memory(const DensityOptions& options, int box, double need) {
  auto limit = memory_limit();
  if (options.memory_limit > 0 && options.memory_limit * 1e9 < static_cast<double>(limit.bytes))
    limit = {static_cast<std::uint64_t>(options.memory_limit * 1e9), "--memory-limit allows"};
  if (need > static_cast<double>(limit.bytes))
    fail("a reconstruction in a box of {} needs {} of memory, but {} {}: lower --box", box,
         format_bytes(need), limit.reason, format_bytes(static_cast<double>(limit.bytes)));
}

void write_map(const std::filesystem::path& path, const particles::ImageGrid& grid,
               const std::vector<float>& map, const std::array<double, 3>& origin) {
  io::Volume volume;
  volume.nx = volume.ny = volume.nz = grid.box;
  volume.pixel_size = grid.pixel_size;
  volume.origin = origin;
  volume.data = map;
  io::write_mrc(path, volume);
}

}  // namespace cryoscape::density
