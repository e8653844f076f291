#include <algorithm>
#include <cmath>
#include <set>

#include "cryoscape/structure/cell_list.hpp"
#include "cryoscape/structure/restraints.hpp"

namespace cryoscape::structure {
namespace {

constexpr float kPeptideLimit = 4.2f;       // Å: CA–CA is 3.8 (trans) or 2.9 (cis)
constexpr float kNucleotideLimit = 8.0f;    // Å: C4'–P of the next nucleotide is about 3.9, C4'–base centre up to 6
constexpr float kCovalentLimit = 1.95f;     // Å, heavy atoms
constexpr float kDisulfideLimit = 2.3f;
constexpr float kAllAtomEdgeCutoff = 6.0f, kAllAtomClash = 2.5f;

float distance(const BeadModel& beads, std::int32_t i, std::int32_t j) {
  float sum = 0;
  for (int k = 0; k < 3; ++k) {
    const float d = beads.coordinates[3 * i + k] - beads.coordinates[3 * j + k];
    sum += d * d;
  }
  return std::sqrt(sum);
}

bool nucleic(BeadKind kind) { return kind == BeadKind::phosphate || kind == BeadKind::sugar || kind == BeadKind::base; }

/// Chain-like bonds of residue-level beads: CA to CA; P–C4', C4'–base, C4'–next P.
void residue_bonds(const BeadModel& beads, std::vector<Pair>& bonds) {
  std::int32_t sugar = -1;
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(beads.size()); ++i) {
    const auto join = [&](std::int32_t j, float limit) {
      if (j < 0 || beads.chains[j] != beads.chains[i]) return;
      const float d = distance(beads, j, i);
      if (d < limit) bonds.push_back({j, i, d, beads.chains[i]});
    };
    const auto kind = beads.kinds[i];
    if (kind == BeadKind::protein && i > 0 && beads.kinds[i - 1] == BeadKind::protein) join(i - 1, kPeptideLimit);
    if (!nucleic(kind)) {
      sugar = -1;
      continue;
    }
    if (kind == BeadKind::sugar) {
      if (i > 0 && beads.kinds[i - 1] == BeadKind::phosphate && beads.residues[i - 1] == beads.residues[i]) join(i - 1, kNucleotideLimit);
      sugar = i;
    } else {
      join(sugar, kNucleotideLimit);
    }
  }
}

void covalent_bonds(const BeadModel& beads, std::vector<Pair>& bonds) {
  CellList cells;
  cells.for_each_pair(beads.coordinates, kDisulfideLimit, [&](std::int32_t i, std::int32_t j, float d2) {
    const auto& a = beads.records.atoms[i].element;
    const auto& b = beads.records.atoms[j].element;
    const float limit = a == "S" && b == "S" ? kDisulfideLimit : kCovalentLimit;
    if (d2 < limit * limit && d2 > 0.5f) bonds.push_back({i, j, std::sqrt(d2), beads.chains[i]});
  });
}

void set_exemptions(RestraintTopology& topology, const BeadModel& beads) {
  std::vector<std::vector<std::int32_t>> partners(beads.size());
  for (const auto& bond : topology.bonds) partners[std::min(bond.i, bond.j)].push_back(std::max(bond.i, bond.j));
  CellList cells;
  cells.for_each_pair(beads.coordinates, topology.clash_distance,
                      [&](std::int32_t i, std::int32_t j, float) { partners[i].push_back(j); });
  topology.exempt_start.assign(1, 0);
  for (auto& list : partners) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    topology.exempt.insert(topology.exempt.end(), list.begin(), list.end());
    topology.exempt_start.push_back(static_cast<std::int32_t>(topology.exempt.size()));
  }
}

}  // namespace

bool RestraintTopology::is_exempt(std::int32_t i, std::int32_t j) const {
  if (i > j) std::swap(i, j);
  const auto begin = exempt.begin() + exempt_start[i], end = exempt.begin() + exempt_start[i + 1];
  return std::find(begin, end, j) != end;
}

RestraintTopology make_restraints(const BeadModel& beads, const RestraintOptions& options) {
  RestraintTopology topology;
  topology.beads = beads.size();
  topology.chains = *std::max_element(beads.chains.begin(), beads.chains.end()) + 1;
  const bool all_atom = std::find(beads.kinds.begin(), beads.kinds.end(), BeadKind::atom) != beads.kinds.end();
  if (all_atom)
    covalent_bonds(beads, topology.bonds);
  else
    residue_bonds(beads, topology.bonds);
  topology.clash_distance = all_atom ? std::min(options.clash_distance, kAllAtomClash) : options.clash_distance;
  set_exemptions(topology, beads);

  std::set<std::pair<std::int32_t, std::int32_t>> bonded;
  for (const auto& b : topology.bonds) bonded.insert({std::min(b.i, b.j), std::max(b.i, b.j)});
  const float cutoff = all_atom ? std::min(options.edge_cutoff, kAllAtomEdgeCutoff) : options.edge_cutoff;
  CellList cells;
  cells.for_each_pair(beads.coordinates, cutoff, [&](std::int32_t i, std::int32_t j, float d2) {
    if (!options.between_chains && beads.chains[i] != beads.chains[j]) return;
    if (!bonded.contains({i, j})) topology.edges.push_back({i, j, std::sqrt(d2), beads.chains[i]});
  });
  std::sort(topology.edges.begin(), topology.edges.end(), [](const Pair& a, const Pair& b) {
    return std::tie(a.chain, a.i, a.j) < std::tie(b.chain, b.i, b.j);
  });
  return topology;
}

Violations count_violations(const RestraintTopology& topology, std::span<const float> x) {
  Violations v;
  for (const auto& b : topology.bonds) {
    const float dx = x[3 * b.i] - x[3 * b.j], dy = x[3 * b.i + 1] - x[3 * b.j + 1], dz = x[3 * b.i + 2] - x[3 * b.j + 2];
    if (std::abs(std::sqrt(dx * dx + dy * dy + dz * dz) - b.distance) > 1.0f) ++v.broken_bonds;
  }
  CellList cells;
  cells.for_each_pair(x, topology.clash_distance, [&](std::int32_t i, std::int32_t j, float) {
    if (!topology.is_exempt(i, j)) ++v.clashes;
  });
  return v;
}

}  // namespace cryoscape::structure
