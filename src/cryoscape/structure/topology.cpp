#include <algorithm>
#include <cmath>
#include <set>

#include "cryoscape/structure/cell_list.hpp"
#include "cryoscape/structure/restraints.hpp"

namespace cryoscape::structure {
namespace {

// Å. What is farther apart is a break in the chain.
constexpr float kBackboneLimit = 5.2f;    // P–C4' and C4'–next P are about 3.9
constexpr float kNucleotideLimit = 7.5f;  // P–P and C4'–C4' of neighbours are 5.5 to 7
constexpr float kResidueLimit = 8.0f;     // beads of one residue
constexpr float kCovalentLimit = 1.95f;   // heavy atoms
constexpr float kDisulfideLimit = 2.3f;
constexpr float kAllAtomEdgeCutoff = 6.0f, kAllAtomClash = 2.5f;
constexpr float kBrokenBond = 1.0f, kDeepClash = 0.5f;

float distance(std::span<const float> x, std::int32_t i, std::int32_t j) {
  float sum = 0;
  for (int k = 0; k < 3; ++k) sum += (x[3 * i + k] - x[3 * j + k]) * (x[3 * i + k] - x[3 * j + k]);
  return std::sqrt(sum);
}

/// Chain-like bonds of residue-level beads: CA to CA; P–C4', C4'–base, C4'–next P; along the beads of a
/// ligand.
class ResidueBonds {
 public:
  ResidueBonds(const BeadModel& beads, std::vector<Pair>& bonds) : beads_(beads), bonds_(bonds) {}

  void collect() {
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(beads_.size()); ++i) {
      const auto kind = beads_.kinds[i];
      if (peptide_bonded(beads_, i - 1, i)) join(i - 1, i, kResidueLimit);
      if (kind == BeadKind::ligand && of_kind(i - 1, kind) && same_residue(i - 1, i))
        join(i - 1, i, kResidueLimit);
      if (kind == BeadKind::base && same_residue(sugar_, i)) join(sugar_, i, kResidueLimit);
      if (kind == BeadKind::phosphate) add_phosphate(i);
      if (kind == BeadKind::sugar) add_sugar(i);
    }
  }

 private:
  bool of_kind(std::int32_t i, BeadKind kind) const { return i >= 0 && beads_.kinds[i] == kind; }
  bool same_residue(std::int32_t i, std::int32_t j) const {
    return i >= 0 && beads_.residues[i] == beads_.residues[j];
  }
  bool next_residue(std::int32_t i, std::int32_t j) const {
    return i >= 0 && beads_.residues[i] + 1 == beads_.residues[j];
  }

  void join(std::int32_t i, std::int32_t j, float limit) {
    if (beads_.chains[i] != beads_.chains[j]) return;
    if (const float d = distance(beads_.coordinates, i, j); d < limit)
      bonds_.push_back({i, j, d, beads_.chains[j]});
  }

  void add_phosphate(std::int32_t i) {
    if (next_residue(sugar_, i))
      join(sugar_, i, kBackboneLimit);
    else if (next_residue(phosphate_, i))
      join(phosphate_, i, kNucleotideLimit);
    phosphate_ = i;
  }

  void add_sugar(std::int32_t i) {
    if (same_residue(phosphate_, i))
      join(phosphate_, i, kBackboneLimit);
    else if (next_residue(sugar_, i))
      join(sugar_, i, kNucleotideLimit);
    sugar_ = i;
  }

  const BeadModel& beads_;
  std::vector<Pair>& bonds_;
  std::int32_t sugar_ = -1, phosphate_ = -1;  ///< the last ones
};

void covalent_bonds(const BeadModel& beads, std::vector<Pair>& bonds) {
  CellList cells;
  cells.for_each_pair(beads.coordinates, kDisulfideLimit, [&](std::int32_t i, std::int32_t j, float d2) {
    const auto& a = beads.records.atoms[i].element;
    const auto& b = beads.records.atoms[j].element;
    const float limit = a == "S" && b == "S" ? kDisulfideLimit : kCovalentLimit;
    if (d2 < limit * limit && d2 > 0.5f) bonds.push_back({i, j, std::sqrt(d2), beads.chains[i]});
  });
}

/// How much of the clash distance of two CA a bead brings: bases stack at 3.4 Å, metals are coordinated
/// closer still.
float clash_share(BeadKind kind) {
  switch (kind) {
    case BeadKind::base:
      return 0.4f;
    case BeadKind::ligand:
      return 0.375f;
    default:
      return 0.5f;
  }
}

/// Rows of the pairs that have a limit of their own: none for bonded ones, their distance for those that the
/// reference has closer.
void set_own_limits(RestraintTopology& topology, const BeadModel& beads) {
  std::vector<std::vector<ClashLimit>> rows(beads.size());
  CellList cells;
  cells.for_each_pair(
      beads.coordinates, topology.clash_distance, [&](std::int32_t i, std::int32_t j, float d2) {
        if (const float d = std::sqrt(d2); d < topology.clash_radii[i] + topology.clash_radii[j])
          rows[i].push_back({j, d});
      });
  for (const auto& bond : topology.bonds)
    rows[std::min(bond.i, bond.j)].push_back({std::max(bond.i, bond.j), 0});
  topology.own_limit_start.assign(1, 0);
  for (auto& row : rows) {
    // Bonds come first among equals.
    std::sort(row.begin(), row.end(), [](const auto& a, const auto& b) {
      return std::tie(a.partner, a.distance) < std::tie(b.partner, b.distance);
    });
    row.erase(std::unique(row.begin(), row.end(),
                          [](const auto& a, const auto& b) { return a.partner == b.partner; }),
              row.end());
    topology.own_limits.insert(topology.own_limits.end(), row.begin(), row.end());
    topology.own_limit_start.push_back(static_cast<std::int32_t>(topology.own_limits.size()));
  }
}

void add_edges(RestraintTopology& topology, const BeadModel& beads, float cutoff, bool between_chains) {
  std::set<std::pair<std::int32_t, std::int32_t>> bonded;
  for (const auto& b : topology.bonds) bonded.insert({std::min(b.i, b.j), std::max(b.i, b.j)});
  CellList cells;
  cells.for_each_pair(beads.coordinates, cutoff, [&](std::int32_t i, std::int32_t j, float d2) {
    if (!between_chains && beads.chains[i] != beads.chains[j]) return;
    if (!bonded.contains({i, j})) topology.edges.push_back({i, j, std::sqrt(d2), beads.chains[i]});
  });
  std::sort(topology.edges.begin(), topology.edges.end(), [](const Pair& a, const Pair& b) {
    return std::tie(a.chain, a.i, a.j) < std::tie(b.chain, b.i, b.j);
  });
}

}  // namespace

float RestraintTopology::clash_limit(std::int32_t i, std::int32_t j) const {
  for (auto k = own_limit_start[i]; k < own_limit_start[i + 1]; ++k)
    if (own_limits[k].partner == j) return own_limits[k].distance;
  return clash_radii[i] + clash_radii[j];
}

RestraintTopology make_restraints(const BeadModel& beads, const RestraintOptions& options) {
  RestraintTopology topology;
  topology.beads = beads.size();
  topology.reference = beads.coordinates;
  topology.chains = *std::max_element(beads.chains.begin(), beads.chains.end()) + 1;
  const bool all_atom =
      std::find(beads.kinds.begin(), beads.kinds.end(), BeadKind::atom) != beads.kinds.end();
  if (all_atom)
    covalent_bonds(beads, topology.bonds);
  else
    ResidueBonds(beads, topology.bonds).collect();
  topology.clash_distance =
      all_atom ? std::min(options.clash_distance, kAllAtomClash) : options.clash_distance;
  for (const auto kind : beads.kinds)
    topology.clash_radii.push_back(clash_share(kind) * topology.clash_distance);
  set_own_limits(topology, beads);
  add_edges(topology, beads,
            all_atom ? std::min(options.edge_cutoff, kAllAtomEdgeCutoff) : options.edge_cutoff,
            options.between_chains);
  return topology;
}

Violations count_violations(const RestraintTopology& topology, std::span<const float> x) {
  Violations v;
  for (const auto& b : topology.bonds)
    if (!(std::abs(distance(x, b.i, b.j) - b.distance) <= kBrokenBond)) ++v.broken_bonds;
  CellList cells;
  cells.for_each_pair(x, topology.clash_distance, [&](std::int32_t i, std::int32_t j, float d2) {
    if (std::sqrt(d2) < topology.clash_limit(i, j) - kDeepClash) ++v.clashes;
  });
  return v;
}

}  // namespace cryoscape::structure
