#pragma once
#include <functional>
#include <span>
#include <vector>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/training/run.hpp"

namespace cryoscape::landscape {

/// The conformations that a run's decoder gives its particles: latents in memory, structures decoded when
/// asked for.
class Conformations {
 public:
  /// Latents (particles, d). Throws Error, naming `source`, if d is not the model's.
  Conformations(model::HeterogeneityModel& model, io::FloatMatrix latents, const std::string& source);

  std::size_t particles() const { return latents_.rows; }
  std::size_t latent_dim() const { return latents_.columns; }
  /// Coordinates per structure, 3N.
  std::size_t length() const { return length_; }
  std::span<const float> latent(std::size_t particle) const;
  /// Particles whose latents are finite.
  const std::vector<std::size_t>& usable() const { return usable_; }

  /// Centred structures (M, 3N) of particles.
  std::vector<float> decode(std::span<const std::size_t> particles) const;
  /// Decodes particles batch by batch and hands each on with the position of its first; memory does not grow
  /// with their number.
  void stream(std::span<const std::size_t> particles, const std::string& label,
              const std::function<void(std::size_t begin, std::span<const float> structures)>& take) const;

 private:
  model::HeterogeneityModel& model_;
  io::FloatMatrix latents_;
  std::size_t length_;
  std::vector<std::size_t> usable_;
};

/// The conformations of a run's posterior means: refined ones (refined_mean.npy), and says so, where there
/// are some that are not older than the encoder's (latents.npy). Throws Error if the encoder's are missing or
/// the file does not fit the particles.
Conformations open_conformations(training::Run& run);

}  // namespace cryoscape::landscape
