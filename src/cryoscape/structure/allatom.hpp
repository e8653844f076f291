#pragma once
#include <span>
#include <vector>

#include "cryoscape/io/atomic_model.hpp"
#include "cryoscape/structure/beads.hpp"

namespace cryoscape::structure {

/// Moves every atom of the reference with its residue's rigid frame: CA i−1, i, i+1 along bonded residues
/// (chain ends: the two nearest of their chain), the beads of a nucleotide or ligand, and the nearest beads
/// to make three where there are fewer. The CA of a residue, the P of a nucleotide and every atom that is a
/// bead land exactly on their beads.
class AllAtomBuilder {
 public:
  AllAtomBuilder(io::AtomicModel atoms, const BeadModel& beads);

  /// (3·atoms) positions for moved beads (N, 3), in the frame of the moved beads. Throws
  /// std::invalid_argument for another number of beads.
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
  std::vector<std::pair<std::size_t, std::int32_t>> exact_;  ///< atoms that are beads themselves
};

}  // namespace cryoscape::structure
