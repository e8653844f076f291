#pragma once
#include <span>
#include <vector>

namespace cryoscape::density {

/// Correlation of a map (D, D, D) with the density of a model, around each of its beads: over the voxels
/// within `radius` Å of it, both less their means there. The model is its beads (N, 3), Å from the map's
/// centre, as Gaussians of weight `amplitudes` and standard deviation `sigma` Å. NaN for a bead outside the
/// map.
std::vector<double> bead_correlations(int box, double pixel_size, std::span<const float> map,
                                      std::span<const float> beads, std::span<const float> amplitudes,
                                      double sigma, double radius);

}  // namespace cryoscape::density
