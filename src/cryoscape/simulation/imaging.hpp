#pragma once
#include <complex>
#include <cstdint>
#include <span>
#include <vector>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/optics/ctf.hpp"
#include "cryoscape/projection/kernel.hpp"

namespace cryoscape::simulation {

/// Where a molecule stands in its image.
struct Pose {
  double rot = 0, tilt = 0, psi = 0;  ///< radians
  double shift_x = 0, shift_y = 0;    ///< Å: rlnOriginXAngst, rlnOriginYAngst
};

/// Draws noise-free images: beads projected and multiplied by the CTF in a box of twice the size, the middle
/// cut out, so that what the CTF spreads beyond the box is lost as in a real extraction.
class Imager {
 public:
  /// spec.box is the images' box.
  Imager(const projection::ProjectionSpec& spec, const optics::OpticsGroup& optics);

  /// Buffers of one thread.
  struct Scratch {
    std::vector<float> wide, other, ctf;
    std::vector<std::complex<float>> spectrum;
    std::vector<float> coordinates;
  };

  /// image (box, box) of beads at coordinates (3N).
  void draw(std::span<const float> amplitudes, std::span<const float> coordinates, const Pose& pose,
            const optics::CtfParameters& ctf, Scratch& scratch, std::span<float> image) const;
  /// Derivative of that image when the beads move along `tangent` (3N).
  void differentiate(std::span<const float> amplitudes, std::span<const float> coordinates,
                     std::span<const float> tangent, const Pose& pose, const optics::CtfParameters& ctf,
                     Scratch& scratch, std::span<float> image) const;

  const projection::ProjectionSpec& spec() const { return spec_; }

 private:
  void image_beads(std::span<const float> amplitudes, std::span<const float> coordinates, const Pose& pose,
                   std::vector<float>& wide) const;
  void apply_ctf(const optics::CtfParameters& ctf, Scratch& scratch, std::span<float> image) const;

  projection::ProjectionSpec spec_, wide_;
  optics::OpticsGroup optics_;
};

/// Stationary Gaussian noise of unit variance per pixel.
class NoiseModel {
 public:
  /// "white", or "coloured": power 0.25 + 1/(1 + (20 Å·f)²), strongest at low frequency as in ice, made in a
  /// box of twice the size and cut out.
  NoiseModel(bool coloured, int box, double pixel_size);

  /// Fills an image (box, box) from its own random stream (seed, stream).
  void draw(std::uint64_t seed, std::uint64_t stream, Imager::Scratch& scratch, std::span<float> image) const;

  /// Fisher information Σ_f |D(f)|²/S(f) of an image's derivative D (box, box), S(f) = E|N(f)|² of noise in
  /// the box, over all coefficients.
  double information(std::span<const float> derivative, Imager::Scratch& scratch) const;
  /// S(f) on the half-complex grid (box, box/2+1), unnormalised transform: box² everywhere for white noise.
  const std::vector<float>& power() const { return power_; }

 private:
  bool coloured_;
  int box_;
  std::vector<float>
      amplitude_;  ///< filter on the wide half-complex grid that turns white noise into coloured
  std::vector<float> power_;
};

/// Middle (box, box) of a (2·box, 2·box) image.
void cut_middle(int box, std::span<const float> wide, std::span<float> image);

/// Variance over all pixels.
double variance(std::span<const float> image);

}  // namespace cryoscape::simulation
