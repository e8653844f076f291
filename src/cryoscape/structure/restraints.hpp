#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "cryoscape/structure/beads.hpp"
#include "cryoscape/structure/far_pairs.hpp"
#include "cryoscape/structure/restraint_kernel.hpp"

namespace cryoscape::structure {

/// A pair of beads with its distance in the reference, Å; `chain` groups edges for the adaptive dropping.
struct Pair {
  std::int32_t i, j;
  float distance;
  std::int32_t chain;
};

struct RestraintOptions {
  float edge_cutoff = 12;       ///< Å; elastic edges join beads closer than this in the reference
  bool between_chains = false;  ///< elastic edges between chains too
  float clash_distance = 4;     ///< Å; smaller for all-atom beads
};

/// The distance below which a bead clashes with one partner of higher index, Å.
struct ClashLimit {
  std::int32_t partner;
  float distance;
};

/// Which pairs are restrained.
struct RestraintTopology {
  std::vector<Pair> bonds, edges;
  std::vector<float> reference;  ///< (N, 3) Å
  float clash_distance = 4;      ///< Å; no two beads farther apart clash
  std::size_t beads = 0;
  std::int32_t chains = 1;
  std::vector<float> clash_radii;             ///< (N) Å
  std::vector<std::int32_t> own_limit_start;  ///< (N + 1) rows of own_limits
  std::vector<ClashLimit>
      own_limits;  ///< pairs that the reference has closer than their radii: no clash until closer still

  /// Below this distance beads i < j clash: the sum of their radii, at most their distance in the reference,
  /// 0 if bonded.
  float clash_limit(std::int32_t i, std::int32_t j) const;
};

/// Bonds between consecutive residues that are close enough to be bonded (breaks and missing residues are
/// not), within nucleotides and ligands, or between heavy atoms; elastic edges; clash limits. All-atom beads
/// use edges up to 6 Å and clashes below 2.5 Å at most.
RestraintTopology make_restraints(const BeadModel& beads, const RestraintOptions& options);

/// Stiffness of each term, kT/Å².
struct RestraintWeights {
  float bond = 1, edge = 0, clash = 1;
};

/// Whether an evaluation counts for the running variance of the edges.
enum class Moments { update, keep };

/// E(x) = k_b Σ_bonds (d − d₀)² + k_e Σ_edges (d − d₀)² + k_c Σ_clash max(0, d_min − d)², kT per structure,
/// with its gradient, in one pass over a compact pair list, a vector of structures at a time, parallel over
/// them. Edges whose distance varies most across structures are let go (CryoSTAR): the given fraction within
/// each chain, by a running variance over earlier batches (each counts 0.9 times less with every later one).
/// Clashing pairs are found in the structures as they are. A structure with a coordinate that is not finite,
/// or farther out than any molecule, gets the energy NaN and no gradient, and leaves the variances alone.
class RestraintEvaluator {
 public:
  explicit RestraintEvaluator(RestraintTopology topology);

  /// coordinates (batch, N, 3) Å → energy (batch), gradient (batch, N, 3).
  void evaluate(std::span<const float> coordinates, int batch, RestraintWeights weights, float drop_fraction,
                std::span<float> energy, std::span<float> gradient, Moments moments = Moments::update);

  const RestraintTopology& topology() const { return topology_; }
  /// 1 for edges in force, 0 for those let go.
  std::span<const float> edge_mask() const { return mask_; }

  /// From now on evaluate() leaves a batch's moments in batch_moments(), (1 + 2 edges), and the running ones
  /// as they are until absorb() gets them: where a batch is shared out, its parts' moments are summed
  /// between.
  void defer_moments() { deferred_ = true; }
  std::span<double> batch_moments() { return batch_; }
  void absorb(std::span<const double> batch_moments);

  /// Running moments of the edges' distances, for checkpoints.
  std::vector<double> state() const;
  void set_state(std::span<const double> state);

 private:
  struct Worker;
  void set_stiffness(const RestraintWeights& weights);
  void update_mask(float drop_fraction);
  std::vector<double> total(std::span<const float> sums, std::span<const float> squares,
                            std::size_t structures) const;

  RestraintTopology topology_;
  PairList pairs_;
  FarPairs far_;
  std::vector<std::size_t> chain_start_;  ///< edges are sorted by chain
  std::vector<double> mean_, square_;
  double weight_ = 0;
  std::vector<float> mask_;
  bool deferred_ = false;
  std::vector<double> batch_;  ///< number of structures, sums and sums of squares of d − d₀
};

/// How far a structure (N, 3) is from chemistry: bonds off by more than 1 Å, and pairs more than 0.5 Å inside
/// their clash limit.
struct Violations {
  int broken_bonds = 0, clashes = 0;
};
Violations count_violations(const RestraintTopology& topology, std::span<const float> coordinates);

}  // namespace cryoscape::structure
