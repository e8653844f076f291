#pragma once
#include <complex>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/particles/preprocessing.hpp"

namespace cryoscape::density {

struct NeuralOptions {
  int features = 256;             ///< points of the encoding of frequencies
  int hidden = 128;               ///< width of a layer
  int layers = 3;                 ///< hidden ones
  int epochs = 10;                ///< passes over the particles
  std::size_t batch = 8;          ///< particles per step
  std::size_t frequencies = 512;  ///< coefficients drawn from each particle's image at every step
  double learning_rate = 5e-3;    ///< the highest; it falls to 0 along a cosine
  std::uint64_t seed = 1;
};

/// What a density is learned from. References are kept as long as a call lasts.
struct NeuralImages {
  const particles::ParticleSet& set;
  io::StackReader& reader;
  const std::vector<std::vector<double>>& noise_power;  ///< as measure_noise_power gives it
  const io::FloatMatrix& latents;                       ///< (P, d), a row per particle of the set
  std::span<const std::uint32_t> members;               ///< rows to learn from, of one half-set
};

/// The density of particles as a function of their latents, by a network of (frequency, z) → Fourier
/// coefficient (cryoDRGN, Zhong et al., Nature Methods 2021; stage two of CryoSTAR, Li et al., Nature Methods
/// 2024), fitted to the images by maximum likelihood under their noise. Latents are standardised by the
/// members' mean and variance. The members' consensus map says where the points of the encoding lie and how
/// coefficients fall off with frequency. All of it on the CPU. Half-maps of noise have an FSC of mean 0, but
/// with correlated shells: its standard deviation is 0.1 to 0.2 in all of them.
class NeuralDensity {
 public:
  /// `grid`: of the images and maps; its diameter is that of the ball where density may be.
  NeuralDensity(const particles::ImageGrid& grid, int latent_dim, const NeuralOptions& options);
  ~NeuralDensity();
  NeuralDensity(NeuralDensity&&) noexcept;

  /// Learns, or goes on learning from where it stands, up to options.epochs; calls `after_epoch` after each.
  /// Shows progress, leaves out particles that cannot be used. Throws Interrupted between two steps when a
  /// signal came (save() is possible then) and Error if images cannot be read or the fit diverges. The result
  /// depends on the seed, not on the number of threads or on interruptions.
  void train(const NeuralImages& images, const std::function<void()>& after_epoch = {});

  /// Transform at points k (N, 3), grid steps below D/2 from the origin, of the density at latents z (d); the
  /// origin is the density's centre.
  std::vector<std::complex<float>> transform(std::span<const float> k, std::span<const float> z) const;

  /// Map (D, D, D) at latents z (d), its centre at voxel D/2, whose projections (sums along z) are the
  /// images.
  std::vector<float> map(std::span<const float> z) const;

  /// Network, optimiser and progress; beside and renamed.
  void save(const std::filesystem::path& path) const;
  /// Throws Error if there is no such file or it is not of this grid, these options and latents.
  void load(const std::filesystem::path& path);

 private:
  struct Learner;
  std::unique_ptr<Learner> learner_;
};

}  // namespace cryoscape::density
