#pragma once
#include <filesystem>
#include <vector>

#include "cryoscape/particles/particle_set.hpp"

namespace cryoscape::density {

/// How a quick reconstruction agrees with a map.
struct ConsensusCheck {
  std::size_t particles = 0;  ///< that were used
  bool dark = false;          ///< images are inverted against the map
  std::vector<double> fsc;    ///< by shell, under a soft sphere, the images' sign put right
  double resolution = 0;      ///< Å where it first falls below 0.5; infinite if it begins below
};

/// Reconstructs up to `most` particles, spread over the set, and correlates the result with the map their
/// poses come from: the quickest test that poses, shifts, CTFs and pixel size are read right. Throws Error if
/// the map has another box or pixel size than the images.
ConsensusCheck check_consensus(particles::ParticleSet set, const std::filesystem::path& map,
                               std::size_t most = 2000);

}  // namespace cryoscape::density
