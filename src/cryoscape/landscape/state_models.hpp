#pragma once
#include <span>
#include <vector>

#include "cryoscape/landscape/cloud.hpp"
#include "cryoscape/landscape/states.hpp"

namespace cryoscape::landscape {

/// A conformation with its uncertainty, centred as the reference is.
struct Model {
  std::vector<float> positions;  ///< (3N) Å
  std::vector<float> b_factors;  ///< (N) Å²
};

/// Mean structure of up to 100 of a state's members, those nearest to its peak by Mahalanobis distance and at
/// most half of them: a conformation of the state, free of single particles' noise. B factors are 8π²/3 of
/// the mean square fluctuation of (up to 500 of) its members' structures about it, after superposition. A
/// state without members takes the particles nearest to its peak.
Model state_model(const Conformations& conformations, const StructureSpace& space, const Cloud& cloud,
                  const StateSet& states, std::size_t state);

/// Structures along component c: at 10 values evenly spaced from the 2nd to the 98th percentile of the
/// particles, the mean structure of the particles nearest in that component (1 %, between 5 and 50). The
/// other components take the mean that they have there.
std::vector<std::vector<float>> component_series(const Conformations& conformations,
                                                 const StructureSpace& space, const Cloud& cloud,
                                                 std::size_t component);

/// B factors of a reference's atoms: the mean over the beads of their residue; of all beads where it has
/// none.
std::vector<float> atom_b_factors(const io::AtomicModel& reference, const structure::BeadModel& beads,
                                  std::span<const float> bead_b_factors);

}  // namespace cryoscape::landscape
