#include "cryoscape/structure/allatom.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::structure {
namespace {

constexpr std::size_t kLeastSupport = 3;

float squared_distance(const float* a, const float* b) {
  return (a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]);
}

/// Fills `support` up to `count` with the beads nearest to a point.
void add_nearest(std::span<const float> beads, const float* point, std::size_t count,
                 std::vector<std::int32_t>& support) {
  std::vector<std::int32_t> order(beads.size() / 3);
  std::iota(order.begin(), order.end(), 0);
  const auto enough = std::min(count + support.size(), order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(enough), order.end(), [&](auto a, auto b) {
        return squared_distance(beads.data() + 3 * a, point) < squared_distance(beads.data() + 3 * b, point);
      });
  for (std::size_t k = 0; k < enough && support.size() < count; ++k)
    if (std::find(support.begin(), support.end(), order[k]) == support.end()) support.push_back(order[k]);
}

/// A residue's own bead and its neighbours along the chain.
std::vector<std::int32_t> protein_support(const BeadModel& beads, std::int32_t own) {
  std::vector<std::int32_t> support{own};
  const bool before = peptide_bonded(beads, own - 1, own), after = peptide_bonded(beads, own, own + 1);
  if (before) support.push_back(own - 1);
  if (after) support.push_back(own + 1);
  if (!before && after && peptide_bonded(beads, own + 1, own + 2)) support.push_back(own + 2);
  if (before && !after && peptide_bonded(beads, own - 2, own - 1)) support.push_back(own - 2);
  return support;
}

}  // namespace

AllAtomBuilder::AllAtomBuilder(io::AtomicModel atoms, const BeadModel& beads)
    : atoms_(std::move(atoms)), reference_(beads.coordinates) {
  const auto& records = atoms_.atoms;
  std::size_t bead = 0;
  for (std::size_t begin = 0; begin < records.size();) {
    std::size_t end = begin + 1;
    while (end < records.size() && io::same_residue(records[end - 1], records[end])) ++end;
    // Beads come in file order, so the residue's beads, if any, are the next ones.
    std::vector<std::int32_t> own;
    for (; bead < beads.size() && io::same_residue(beads.records.atoms[bead], records[begin]); ++bead) {
      own.push_back(static_cast<std::int32_t>(bead));
      if (beads.kinds[bead] != BeadKind::atom) continue;
      for (std::size_t i = begin; i < end; ++i)
        if (records[i].name == beads.records.atoms[bead].name) exact_.push_back({i, own.back()});
    }
    const bool protein = own.size() == 1 && beads.kinds[own[0]] == BeadKind::protein;
    std::vector<std::int32_t> support = protein ? protein_support(beads, own[0]) : own;
    const float* at = own.empty() ? records[begin].position.data() : &reference_[3 * own[0]];
    if (support.size() < kLeastSupport) add_nearest(reference_, at, kLeastSupport, support);
    groups_.push_back({begin, end, support});
    begin = end;
  }
}

std::vector<float> AllAtomBuilder::build(std::span<const float> moved) const {
  if (moved.size() != reference_.size())
    throw std::invalid_argument("AllAtomBuilder: as many beads as the reference has");
  std::vector<float> out(3 * atoms_.atoms.size());
  parallel_for(groups_.size(), [&](std::size_t n) {
    const auto& group = groups_[n];
    std::vector<float> from, to;
    for (const auto b : group.support)
      for (int k = 0; k < 3; ++k) from.push_back(reference_[3 * b + k]), to.push_back(moved[3 * b + k]);
    const auto motion = geometry::superpose(from, to);
    for (std::size_t i = group.begin; i < group.end; ++i) {
      const auto& p = atoms_.atoms[i].position;
      const auto offset =
          geometry::rotated(motion.rotation, {p[0] - from[0], p[1] - from[1], p[2] - from[2]});
      for (int k = 0; k < 3; ++k) out[3 * i + k] = static_cast<float>(to[k] + offset[k]);
    }
  });
  for (const auto& [atom, bead] : exact_)
    std::copy_n(moved.begin() + 3 * bead, 3, out.begin() + static_cast<std::ptrdiff_t>(3 * atom));
  return out;
}

}  // namespace cryoscape::structure
