#pragma once
#include <span>
#include <vector>

#include "cryoscape/density/slice_maker.hpp"

namespace cryoscape::density {

/// What particles have in common whatever their conformation: their back-projection.
struct Consensus {
  std::vector<double> amplitudes;  ///< of the signal, by shell (D/2+1)
  std::vector<float> map;          ///< (D, D, D), its noise filtered off
};

/// Back-projects every other one of `members` (rows of the set) and compares the two maps: amplitudes are √
/// of their mean cross-power over three shells, to which noise does not contribute, at least a tenth of the
/// noise's; the map is their mean, each shell times its correlation with the truth as estimated by the FSC
/// (as noise_to_signal), without those where that is below 0.3. Reads every member once and warns of those
/// that cannot be used. Throws Error if none can; the same for any number of threads.
Consensus measure_consensus(const particles::ParticleSet& set, io::StackReader& reader,
                            const particles::ImageGrid& grid,
                            const std::vector<std::vector<double>>& noise_power,
                            std::span<const std::uint32_t> members);

}  // namespace cryoscape::density
