#pragma once
#include <array>
#include <complex>
#include <memory>
#include <vector>

#include "cryoscape/io/mrc.hpp"
#include "cryoscape/optics/ctf.hpp"
#include "cryoscape/particles/image_cache.hpp"
#include "cryoscape/particles/particle_set.hpp"

namespace cryoscape::particles {

/// The grid that images are brought to.
struct ImageGrid {
  int box = 0;            ///< training box D, pixels
  double pixel_size = 0;  ///< Å
  double diameter = 0;    ///< Å; the background is what lies outside this circle
  float sign = 1;         ///< −1 inverts every image
};

/// How an optics group's images come to lie on the grid. Only whole (even) numbers of stored pixels can be
/// cut out, so an image's pixel size on the grid may differ from the grid's by one part in `pixels`; `linear`
/// takes that up together with the group's magnification: a point p (Å) of a projection appears at linear · p
/// of the grid, and a shift s (Å, of the stored image) is scale · s there.
struct Placement {
  int pixels = 0;                            ///< stored pixels across the grid
  double pixel_size = 0;                     ///< Å, the true size of the image's pixels on the grid
  double scale = 1;                          ///< grid's pixel size / pixel_size
  std::array<double, 4> linear{1, 0, 0, 1};  ///< scale · Mᵀ, row-major; M acts on Fourier coordinates

  /// Pose as the projector wants it: the two image rows of the rotation times `linear`, the third row as it
  /// is.
  std::array<float, 9> rotation(const std::array<float, 9>& rotation) const;
  std::array<float, 2> shift(const std::array<float, 2>& shift) const;
};

Placement place_on_grid(const optics::OpticsGroup& group, const ImageGrid& grid);

/// Brings single images to the training grid: background mean 0 and standard deviation 1 outside the circle,
/// sign, real-space crop or zero-pad to the grid's extent, Fourier crop. White noise keeps unit variance per
/// pixel. The CTF is evaluated at the image's true pixel size (Placement); phases of beam tilt and odd
/// aberrations are taken off the image. CTF-premultiplied images are first divided by their CTF again (by
/// ±0.01 where it is smaller), which makes noise and prediction those of ordinary images: |CTF·x −
/// CTF²·I|²/(S·CTF²) = |x − CTF·I|²/S. One instance per thread; copies share what groups have in common.
class Preprocessor {
 public:
  Preprocessor(const ParticleSet& set, ImageGrid grid);

  const Placement& placement(int optics_group) const { return (*groups_)[optics_group].placement; }

  /// Reads, normalises and transforms particle i. False if its pixels, or those of its background, are
  /// constant or not finite. spectrum, ctf: (D, D/2+1); image: (D, D); ctf and image may be null. With a
  /// cache (of entries of cached_floats() values) the particle is read from it, or else stored there; results
  /// are the same to the bit.
  bool load(io::StackReader& reader, std::size_t i, std::complex<float>* spectrum, float* ctf,
            float* image = nullptr, ImageCache* cache = nullptr);

  /// Values that a particle takes in an ImageCache: a half-complex spectrum on the grid.
  static std::size_t cached_floats(int box);

  /// CTF of particle i in a box of twice the grid's size, (2D, D+1), and, where not null, the one on the grid
  /// that load() would give.
  void wide_ctf(std::size_t i, float* wide, float* ctf = nullptr) const;

 private:
  struct Group {
    Placement placement;
    optics::CtfEvaluator ctf;                            ///< on the grid
    optics::CtfEvaluator wide;                           ///< on a grid of twice the size
    std::unique_ptr<const optics::CtfEvaluator> stored;  ///< on the stored image, for premultiplied ones
  };

  bool reduce(io::StackReader& reader, const Particle& particle, std::complex<float>* spectrum);
  bool normalise(const optics::OpticsGroup& group, float sign);
  void divide_by_ctf(int box, const optics::CtfEvaluator& evaluator, const optics::CtfParameters& parameters);
  void resize(int from, int to);

  const ParticleSet* set_;
  ImageGrid grid_;
  std::shared_ptr<const std::vector<Group>> groups_;
  std::vector<float> image_, resized_, stored_ctf_;
  std::vector<std::complex<float>> stored_;
};

}  // namespace cryoscape::particles
