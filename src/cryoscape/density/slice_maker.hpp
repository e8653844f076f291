#pragma once
#include <complex>
#include <memory>
#include <vector>

#include "cryoscape/density/accumulator.hpp"
#include "cryoscape/particles/preprocessing.hpp"

namespace cryoscape::density {

/// Turns particles into slices: weight CTF²/S, weighted value CTF·X/S · exp(−2πi k·shift), the particle's
/// centre as origin, with S the noise power of the particle's optics group relative to white noise of unit
/// variance. The weighted mean of such values is the least-squares estimate of the transform (Scheres, J.
/// Struct. Biol. 2012). One instance per thread; copies share what groups have in common.
class SliceMaker {
 public:
  /// `noise_power`: (groups, box/2+1) as measure_noise_power gives it.
  SliceMaker(const particles::ParticleSet& set, const particles::ImageGrid& grid,
             const std::vector<std::vector<double>>& noise_power);

  /// False if the particle's pixels, or those of its background, are constant or not finite.
  bool make(io::StackReader& reader, std::size_t particle, Slice& slice);

 private:
  const particles::ParticleSet* set_;
  particles::ImageGrid grid_;
  particles::Preprocessor preprocessor_;
  std::shared_ptr<const std::vector<std::vector<float>>>
      weights_;  ///< by group: (D, D/2+1), 1/S, signs of the centre
  std::vector<std::complex<float>> spectrum_;
  std::vector<float> ctf_;
};

}  // namespace cryoscape::density
