#include "cryoscape/structure/allatom.hpp"

#include <algorithm>
#include <numeric>

#include "cryoscape/geometry/superposition.hpp"

namespace cryoscape::structure {
namespace {

bool same_residue(const io::AtomRecord& a, const io::AtomRecord& b) {
  return a.chain == b.chain && a.residue_number == b.residue_number && a.insertion_code == b.insertion_code &&
         a.residue_name == b.residue_name;
}

float squared_distance(const float* a, const float* b) {
  return (a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]);
}

/// The `count` beads nearest to a point.
std::vector<std::int32_t> nearest(std::span<const float> beads, const float* point, std::size_t count) {
  std::vector<std::int32_t> order(beads.size() / 3);
  std::iota(order.begin(), order.end(), 0);
  count = std::min(count, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(), [&](auto a, auto b) {
    return squared_distance(beads.data() + 3 * a, point) < squared_distance(beads.data() + 3 * b, point);
  });
  order.resize(count);
  return order;
}

/// A residue's own bead and its neighbours along the chain.
std::vector<std::int32_t> protein_support(const BeadModel& beads, std::int32_t own) {
  constexpr float kBonded = 4.2f * 4.2f;
  const auto joined = [&](std::int32_t a, std::int32_t b) {
    return a >= 0 && b < static_cast<std::int32_t>(beads.size()) && beads.kinds[a] == BeadKind::protein &&
           beads.kinds[b] == BeadKind::protein && beads.chains[a] == beads.chains[b] &&
           squared_distance(&beads.coordinates[3 * a], &beads.coordinates[3 * b]) < kBonded;
  };
  std::vector<std::int32_t> support{own};
  const bool before = joined(own - 1, own), after = joined(own, own + 1);
  if (before) support.push_back(own - 1);
  if (after) support.push_back(own + 1);
  if (!before && after && joined(own + 1, own + 2)) support.push_back(own + 2);
  if (before && !after && joined(own - 2, own - 1)) support.push_back(own - 2);
  return support;
}

}  // namespace

AllAtomBuilder::AllAtomBuilder(io::AtomicModel atoms, const BeadModel& beads)
    : atoms_(std::move(atoms)), reference_(beads.coordinates) {
  std::size_t bead = 0;
  for (std::size_t begin = 0; begin < atoms_.atoms.size();) {
    std::size_t end = begin + 1;
    while (end < atoms_.atoms.size() && same_residue(atoms_.atoms[begin], atoms_.atoms[end])) ++end;
    // Beads come in file order, so the residue's beads, if any, are the next ones.
    std::vector<std::int32_t> own;
    while (bead < beads.size() && same_residue(beads.records.atoms[bead], atoms_.atoms[begin])) own.push_back(static_cast<std::int32_t>(bead++));
    std::vector<std::int32_t> support = own.size() == 1 && beads.kinds[own[0]] == BeadKind::protein ? protein_support(beads, own[0]) : own;
    if (support.size() < 3) {
      const float* at = own.empty() ? atoms_.atoms[begin].position.data() : &reference_[3 * own[0]];
      support = nearest(reference_, at, 3);
    }
    groups_.push_back({begin, end, support});
    begin = end;
  }
}

std::vector<float> AllAtomBuilder::build(std::span<const float> moved) const {
  std::vector<float> out(3 * atoms_.atoms.size());
  std::vector<float> from, to;
  for (const auto& group : groups_) {
    from.clear(), to.clear();
    for (const auto b : group.support)
      for (int k = 0; k < 3; ++k) from.push_back(reference_[3 * b + k]), to.push_back(moved[3 * b + k]);
    const auto motion = geometry::superpose(from, to);
    for (std::size_t i = group.begin; i < group.end; ++i) {
      const auto& p = atoms_.atoms[i].position;
      const auto offset = geometry::rotated(motion.rotation, {p[0] - from[0], p[1] - from[1], p[2] - from[2]});
      for (int k = 0; k < 3; ++k) out[3 * i + k] = static_cast<float>(to[k] + offset[k]);
    }
  }
  return out;
}

}  // namespace cryoscape::structure
