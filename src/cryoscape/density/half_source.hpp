#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "cryoscape/density/proximity.hpp"
#include "cryoscape/particles/preprocessing.hpp"

namespace cryoscape::density {

/// A half-set whose particles have conformations.
struct HalfSource {
  const particles::ParticleSet* set = nullptr;
  std::vector<std::vector<double>> noise_power;  ///< by optics group and shell
  std::vector<std::uint32_t> members;            ///< rows of `set`, ascending; their conformations are known
  /// Conformations (M, 3N) of rows of `set`, Å from the map's centre in the frame of their poses.
  std::function<std::vector<float>(std::span<const std::uint32_t> rows)> conformations;
  const Proximity* proximity = nullptr;  ///< of the rows of `set` to the targets; for kernels
};

}  // namespace cryoscape::density
