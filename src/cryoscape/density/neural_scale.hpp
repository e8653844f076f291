#pragma once
#include <span>
#include <vector>

#include "cryoscape/density/slice_maker.hpp"

namespace cryoscape::density {

/// Amplitude of the mean map's signal per shell (D/2+1): √ of the mean cross-power, over three shells, of the
/// back-projections of every other one of `members` (rows of the set). Noise does not contribute to it, and
/// where it leaves none a tenth of the noise's amplitude is taken. Reads every member once and warns of those
/// that cannot be used. Throws Error if none can; the same for any number of threads.
std::vector<double> signal_scale(const particles::ParticleSet& set, io::StackReader& reader,
                                 const particles::ImageGrid& grid,
                                 const std::vector<std::vector<double>>& noise_power,
                                 std::span<const std::uint32_t> members);

}  // namespace cryoscape::density
