#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace cryoscape::structure {

/// Pairs of beads whose distance is computed in every structure, sorted by their first bead: bonds, elastic
/// edges, and all others that are near each other in the reference.
struct PairList {
  std::vector<std::int32_t> start;    ///< (N + 1) first pair of each first bead
  std::vector<std::int32_t> partner;  ///< the second bead
  std::vector<float> distance;        ///< Å, at rest
  std::vector<float> stiffness;       ///< kT/Å²
  std::vector<float> limit;           ///< Å; the beads clash when closer; 0: never
  std::vector<std::int32_t> edge;     ///< index of the elastic edge, −1 for other pairs

  std::size_t size() const { return partner.size(); }
  /// Whether the list holds the pair, i ≠ j.
  bool contains(std::int32_t i, std::int32_t j) const;
};

/// As many structures as a vector has lanes, laid out lane by lane: value v of structure s is [v · lanes +
/// s].
struct StructureGroup {
  const float* coordinates;  ///< (N, 3) Å
  float* gradient;           ///< (N, 3) kT/Å, added to
  double* energy;            ///< kT, added to
  const float* counted;      ///< 1 where a structure counts in the moments, 0 where not
};

/// Sums over a group's structures of d − d₀ and its square, by elastic edge; overwritten.
struct EdgeMoments {
  float *sum, *square;
};

/// Lanes of a group on this processor.
int restraint_lanes();

/// Energy and gradient of all pairs, k (d − d₀)² + k_clash max(0, limit − d)², in one pass. About 40
/// instructions per pair and group.
void pull_pairs(const PairList& pairs, float clash_stiffness, const StructureGroup& group,
                const EdgeMoments& moments);

/// Smallest boxes that hold a cluster's beads: of where they are, and of how far they are from the reference.
/// Lane by lane: (12, lanes) low and high corner of positions, then of displacements.
void bound_cluster(const float* reference, const std::int32_t* beads, std::size_t count,
                   const StructureGroup& group, float* boxes);

/// Pairs of clusters whose beads could come closer than `clash` in any structure: their relative displacement
/// may exceed `slack` (clusters, clusters; upper triangle with diagonal), and their boxes, too, are closer
/// than `clash`. About 30 instructions per pair of clusters and group.
void find_meetings(const float* boxes, std::size_t clusters, const float* slack, float clash,
                   std::vector<std::pair<std::int32_t, std::int32_t>>& meetings);

/// The clash term of pairs that the list does not hold: a bead and those of a cluster. Radii: (N) Å.
void push_apart(std::int32_t bead, const std::int32_t* others, std::size_t count, const PairList& pairs,
                const float* radii, float clash, float clash_stiffness, const StructureGroup& group);

}  // namespace cryoscape::structure
