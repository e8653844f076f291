#pragma once
#include <span>
#include <vector>

#include "cryoscape/io/atomic_model.hpp"
#include "cryoscape/structure/beads.hpp"

namespace cryoscape::structure {

/// Moves every atom of the reference with its residue's rigid frame: CA i−1, i, i+1 along bonded residues (chain ends: the two nearest
/// of their chain), the three beads of a nucleotide, the three nearest beads for anything else. The residue's own bead lands exactly.
class AllAtomBuilder {
 public:
  AllAtomBuilder(io::AtomicModel atoms, const BeadModel& beads);

  /// (3·atoms) positions for moved beads (N, 3) in the reference file's frame.
  std::vector<float> build(std::span<const float> moved_beads) const;
  const io::AtomicModel& atoms() const { return atoms_; }

 private:
  /// Atoms [begin, end) follow the beads of `support`, the first of which is their own.
  struct Group {
    std::size_t begin, end;
    std::vector<std::int32_t> support;
  };
  io::AtomicModel atoms_;
  std::vector<float> reference_;
  std::vector<Group> groups_;
};

}  // namespace cryoscape::structure
