#pragma once
#include <cstddef>
#include <vector>

#include "cryoscape/particles/preprocessing.hpp"

namespace cryoscape::density {

/// Power of the noise per optics group and shell of the grid (groups, box/2+1), |X|² in the unnormalised FFT:
/// the mean power of up to `sample` images of each group, spread over the file, outside the grid's circle,
/// divided by the window's mean square and averaged over neighbouring shells. A group of which no image can
/// be used has white noise of unit variance. Throws Error if an image cannot be read. In parallel, the same
/// for any number of threads.
std::vector<std::vector<double>> measure_noise_power(const particles::ParticleSet& set,
                                                     io::StackReader& reader,
                                                     const particles::ImageGrid& grid,
                                                     std::size_t sample = 1000);

}  // namespace cryoscape::density
