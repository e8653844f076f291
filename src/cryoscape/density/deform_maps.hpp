#pragma once
#include <array>
#include <span>
#include <vector>

#include "cryoscape/density/half_source.hpp"

namespace cryoscape::density {

/// Half-maps of conformations to which every particle contributes.
struct DeformMaps {
  std::vector<std::array<std::vector<float>, 2>> halves;  ///< by target: (D, D, D), unfiltered
  std::vector<double> folded;  ///< by target: share of space that folds over, of a sample of particles
};

/// Makes the map of each target (3N, Å from the map's centre) from all particles: the image of a particle,
/// divided by the CTF's weight as a whole half-set has it, is back-projected along rays that its own
/// conformation bends, x + u(x) with u the DisplacementField from the target to that conformation. Density is
/// only ever moved: nothing of the model but displacements enters. With all conformations equal to the target
/// this is `reconstruct`. `width` is the field's τ in Å. Progress is shown; throws as back_project.
DeformMaps deform_half_maps(const std::array<HalfSource, 2>& halves, io::StackReader& reader,
                            const particles::ImageGrid& grid, std::span<const std::vector<float>> targets,
                            double width);

/// Bytes that it takes beside those of back_project.
double deform_bytes(int box, double pixel_size, double width, std::size_t targets);

}  // namespace cryoscape::density
