#pragma once
#include <cstdint>

namespace cryoscape::structure::cuda {

/// A partner of a bead: bonded to it (edge −1) or joined by an elastic edge.
struct Neighbour {
  std::int32_t partner;
  float distance;  ///< Å, in the reference
  std::int32_t edge;
};

/// An elastic edge.
struct EdgePair {
  std::int32_t i, j;
  float distance;  ///< Å, in the reference
};

/// The distance below which a bead clashes with one partner of higher index, Å.
struct OwnLimit {
  std::int32_t partner;
  float distance;
};

/// Least and largest coordinates of kBoxBeads consecutive beads.
struct BeadBox {
  float low[3], high[3];
};
inline constexpr int kBoxBeads = 32;

/// kT/Å², as RestraintWeights.
struct Stiffness {
  float bond, edge, clash;
};

/// A RestraintTopology as compact arrays, in host or device memory.
struct RestraintArrays {
  int beads = 0, edges = 0;
  const std::int32_t* start = nullptr;  ///< (N + 1) rows of neighbours
  const Neighbour* neighbours = nullptr;
  const EdgePair* pairs = nullptr;  ///< (edges)
  const float* mask = nullptr;      ///< (edges) 1 for edges in force
  float clash_distance = 0;         ///< Å
  const float* clash_radii = nullptr;
  const std::int32_t* own_limit_start = nullptr;
  const OwnLimit* own_limits = nullptr;
};

/// Moments are summed over every kMomentParts-th structure, parts apart.
inline constexpr int kMomentParts = 8;
/// Beads whose energy is summed in one part.
inline constexpr int kEnergyBeads = 128;

/// Where the results go, in the arrays' memory; all are overwritten.
struct RestraintOutput {
  float* gradient = nullptr;  ///< (B, N, 3) kT/Å; 0 for a structure that is not finite
  float* energy = nullptr;  ///< (B, ⌈N / kEnergyBeads⌉) kT, parts of a structure's energy; NaN if not finite
  float* moments =
      nullptr;  ///< (kMomentParts, 2, edges) sums over finite structures of d − d₀ and its square
  std::int32_t* finite = nullptr;  ///< (B) 1, or 0 for a structure with a coordinate that is not finite
  BeadBox* boxes = nullptr;        ///< (B, ⌈N / kBoxBeads⌉), for the kernels' own use
};

}  // namespace cryoscape::structure::cuda
