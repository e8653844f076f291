#pragma once
#include <array>
#include <filesystem>
#include <vector>

#include "cryoscape/density/options.hpp"
#include "cryoscape/particles/preprocessing.hpp"

namespace cryoscape::density {

/// The grid of the map: that of the most frequent optics group, or in a smaller box. Throws Error for a box
/// or diameter that does not fit the images.
particles::ImageGrid choose_grid(const DensityOptions& options, const particles::ParticleSet& set);

/// What the FSC is measured under: --mask, or a soft sphere of the grid's diameter. Throws Error for a mask
/// that does not fit.
std::vector<float> fsc_mask(const DensityOptions& options, const particles::ImageGrid& grid);

/// Throws Error if `need` bytes are more than --memory-limit or the process may use.
void check_memory(const DensityOptions& options, int box, double need);

/// Writes a map (D, D, D); `origin`: where its first voxel lies, Å.
void write_map(const std::filesystem::path& path, const particles::ImageGrid& grid,
               const std::vector<float>& map, const std::array<double, 3>& origin = {});

}  // namespace cryoscape::density
