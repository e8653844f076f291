#pragma once
#include <cmath>
#include <vector>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/landscape/collective_variable.hpp"
#include "cryoscape/structure/beads.hpp"
#include "cryoscape/util/random.hpp"

/// For this room's tests: a molecule of two rigid domains, chains A and B, that bends about a hinge, with
/// what it looks like known exactly.
namespace cryoscape::landscape {

inline constexpr std::size_t kHingeDomain = 12;  ///< beads of each domain, residues 1 … 12 of its chain
inline constexpr std::size_t kHingeLength = 6 * kHingeDomain;

/// Two compact domains, 20 Å apart along x, about a hinge at the origin.
inline std::vector<float> hinge_reference() {
  Philox random(11);
  std::vector<float> x;
  for (std::size_t n = 0; n < 2 * kHingeDomain; ++n)
    for (int k = 0; k < 3; ++k)
      x.push_back(static_cast<float>(5 * random.normal() + (k ? 0 : n < kHingeDomain ? -10 : 10)));
  return x;
}

/// Bent by `angle` (radians) about z; then turned as a whole by `turn` about y.
inline std::vector<float> hinge_structure(double angle, double turn = 0) {
  auto x = hinge_reference();
  const std::span<const float> second(x.data() + 3 * kHingeDomain, 3 * kHingeDomain);
  const auto moved = geometry::transformed({geometry::rotation_from_axis_angle({0, 0, angle}), {}}, second);
  std::copy(moved.begin(), moved.end(), x.begin() + static_cast<std::ptrdiff_t>(3 * kHingeDomain));
  return geometry::transformed({geometry::rotation_from_axis_angle({0, turn, 0}), {}}, x);
}

inline structure::BeadModel hinge_beads() {
  structure::BeadModel beads;
  beads.coordinates = hinge_reference();
  for (std::size_t n = 0; n < 2 * kHingeDomain; ++n) {
    io::AtomRecord atom;
    atom.name = "CA", atom.residue_name = "LEU", atom.element = "C", atom.polymer = io::Polymer::protein;
    atom.chain = n < kHingeDomain ? "A" : "B";
    atom.residue_number = static_cast<int>(n % kHingeDomain) + 1;
    for (std::size_t k = 0; k < 3; ++k) atom.position[k] = beads.coordinates[3 * n + k];
    beads.records.atoms.push_back(atom);
    beads.amplitudes.push_back(1), beads.kinds.push_back(structure::BeadKind::protein);
    beads.chains.push_back(n < kHingeDomain ? 0 : 1), beads.residues.push_back(static_cast<int>(n));
  }
  return beads;
}

/// The bend itself, whatever the structure's place.
inline CollectiveVariable hinge_bend() {
  return {"bend", "", false, [](std::span<const float> x) {
            const auto b = hinge_reference();
            const std::span<const float> reference(b);
            const auto a = geometry::superpose(reference.first(kHingeLength / 2), x.first(kHingeLength / 2)),
                       c = geometry::superpose(reference.last(kHingeLength / 2), x.last(kHingeLength / 2));
            const auto r = geometry::multiply(geometry::transpose(a.rotation), c.rotation);
            return std::atan2(r[3] - r[1], r[0] + r[4]);
          }};
}

}  // namespace cryoscape::landscape
