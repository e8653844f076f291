#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cryoscape/density/proximity.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/training/run.hpp"

namespace cryoscape::density {

/// What a run knows of its particles' conformations.
struct RunConformations {
  training::Run* run = nullptr;
  io::FloatMatrix mean;               ///< (particles, d) posterior means
  std::vector<float> covariance;      ///< (particles, d, d)
  std::vector<std::uint32_t> usable;  ///< particles whose latents are finite, ascending

  /// Decoded posterior means (M, 3N) of particles, Å from the map's centre in the frame of the poses.
  std::vector<float> decode(std::span<const std::uint32_t> particles) const;
  /// The same batch by batch, with progress: memory does not grow with their number.
  void stream(std::span<const std::uint32_t> particles, const std::string& label,
              const std::function<void(std::span<const std::uint32_t>, std::span<const float>)>& take) const;
};

/// Posteriors of a run: of `refine` where it is not older than training, else the encoder's means and
/// standard deviations. Throws Error if files are missing or do not fit, or no particle has latents.
RunConformations open_conformations(training::Run& run);

/// Proximity of all particles to targets (3N).
Proximity measure_proximity(const RunConformations& conformations,
                            std::span<const std::vector<float>> targets);

}  // namespace cryoscape::density
