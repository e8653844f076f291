#pragma once
#include <filesystem>
#include <vector>

namespace cryoscape::density {

/// 1 inside a sphere of `diameter` (Å) around the centre of a map of box³ voxels, 0 beyond `edge` (Å) outside
/// it, a cosine between.
std::vector<float> soft_sphere(int box, double pixel_size, double diameter, double edge);

/// Takes a map (D, D, D) softly to 0 outside the largest sphere of its box, which only some of the views
/// reach: what is left of half-sampled noise there, half of all the noise, would count in every correlation.
void clear_corners(int box, std::vector<float>& map);

/// Reads a mask of a box and pixel size (Å). Throws Error if these differ from the map's, or if its values
/// are not between 0 and 1 with some above 0.
std::vector<float> read_mask(const std::filesystem::path& path, int box, double pixel_size);

/// Reads a map that must have a box and pixel size (Å). Throws Error if it has not.
std::vector<float> read_map(const std::filesystem::path& path, int box, double pixel_size);

}  // namespace cryoscape::density
