#pragma once
#include <optional>
#include <span>
#include <string>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/io/mrc.hpp"

namespace cryoscape::structure {

/// Where a reference model's coordinates start.
enum class ModelOrigin { corner, centre };

/// The point of the model file's frame that is the particles' centre: centred = x − centre. `how` says in
/// words what decided.
struct ModelCentre {
  geometry::Vec3 centre{};
  std::string how;
};

/// From a map's header (origin + half its box); else as told; else corner-based if the centroid of the
/// coordinates (N, 3) lies within a quarter of the box of its centre, centred if within a quarter box of 0.
/// Throws Error, asking for --model-origin, when neither holds.
ModelCentre find_model_centre(std::span<const float> coordinates, double box_length,
                              const std::optional<io::MrcHeader>& map, std::optional<ModelOrigin> origin);

/// Real-space correlation of the beads' density (Gaussians of width sigma, amplitudes in electrons) with a
/// map, over the voxels within 3 sigma of a bead, and of their mirror image: a better mirror means the wrong
/// hand.
struct MapCorrelation {
  double as_given = 0, mirrored = 0;
};
/// coordinates (N, 3) Å in the map's frame.
MapCorrelation correlate_with_map(const io::Volume& map, std::span<const float> coordinates,
                                  std::span<const float> amplitudes, double sigma);

/// coordinates − centre.
std::vector<float> centred(std::span<const float> coordinates, const geometry::Vec3& centre);

}  // namespace cryoscape::structure
