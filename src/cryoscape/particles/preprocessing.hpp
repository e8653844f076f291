#pragma once
#include <complex>
#include <span>
#include <vector>

#include "cryoscape/io/mrc.hpp"
#include "cryoscape/particles/particle_set.hpp"

namespace cryoscape::particles {

/// The grid that images are brought to.
struct ImageGrid {
  int box = 0;            ///< training box D, pixels
  double pixel_size = 0;  ///< Å
  double diameter = 0;    ///< Å; the background is what lies outside this circle
  float sign = 1;         ///< −1 inverts every image
};

/// Brings single images to the training grid: background mean 0 and standard deviation 1 outside the circle, sign, real-space crop or
/// zero-pad to the grid's extent, Fourier crop. White noise keeps unit variance per pixel. Images of another pixel size are cut to the
/// even number of pixels whose extent is nearest, so their pixel size on the grid is off by at most one part in that number; their CTF is
/// evaluated at the exact one. CTF-premultiplied images are divided by their CTF again (coefficients with |CTF| < 0.05 are dropped from
/// image and CTF alike), which makes noise and prediction those of ordinary images. One instance per thread.
class Preprocessor {
 public:
  Preprocessor(const ParticleSet& set, ImageGrid grid);

  /// Reads, normalises and transforms particle i. False if its pixels are constant or not finite.
  /// spectrum, ctf: (D, D/2+1).
  bool load(io::StackReader& reader, std::size_t i, std::complex<float>* spectrum, float* ctf);

 private:
  bool normalise(int box, double pixel_size, float sign);
  void resize(int from, int to);

  const ParticleSet& set_;
  ImageGrid grid_;
  std::vector<float> image_, resized_;
  std::vector<std::complex<float>> full_;
};

}  // namespace cryoscape::particles
