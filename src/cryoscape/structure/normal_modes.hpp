#pragma once
#include <cstdint>
#include <vector>

#include "cryoscape/structure/restraints.hpp"

namespace cryoscape::structure {

/// Concerted motions of N beads, displacement fields of length 1.
struct Motions {
  std::size_t count = 0;
  std::vector<float> directions;  ///< (count, N, 3)
  std::vector<double> stiffness;  ///< (count) of the network along each, in units of one spring's
};

/// The softest normal modes, softest first, of the anisotropic network (Atilgan et al. 2001) whose springs
/// are the restraints' bonds and elastic edges, all equally stiff. Rigid motions of the whole are left out;
/// those of parts that no spring joins are modes of stiffness 0. Fewer than `count` where there are no more.
Motions normal_modes(const RestraintTopology& topology, int count);

/// Number (N) of the segment that every bead belongs to: the network cut in two where it is joined least
/// (Fiedler 1973), the largest part again, until there are `count`, or no part has enough beads to cut.
std::vector<std::int32_t> segments(const RestraintTopology& topology, int count);

/// One motion per segment, in which nothing else moves: what the softest modes, each excited by the same
/// thermal energy, do to it most.
Motions segment_motions(const RestraintTopology& topology, int count);

}  // namespace cryoscape::structure
