#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cryoscape/io/atomic_model.hpp"

namespace cryoscape::structure {

enum class BeadLevel { residue, all_atom };

/// Parses "residue" or "all-atom". Throws Error otherwise.
BeadLevel parse_bead_level(const std::string& text);

/// What a bead stands for.
enum class BeadKind : std::uint8_t { protein, phosphate, sugar, base, ligand, atom };

/// The coarse model that is projected: one bead per residue at CA; P, C4' and the base's centre per
/// nucleotide; up to 8 heavy atoms of a ligand or metal; or one per heavy atom. Waters are left out.
/// Amplitudes are the electrons of what a bead stands for: amino acids and nucleotides with all their
/// hydrogens, ligands and single atoms with those that the file has.
struct BeadModel {
  std::vector<float> coordinates;      ///< (N, 3) Å, as in the model file
  std::vector<float> amplitudes;       ///< (N) electrons
  std::vector<BeadKind> kinds;         ///< (N)
  std::vector<std::int32_t> chains;    ///< (N) index of the chain
  std::vector<std::int32_t> residues;  ///< (N) running index of the residue in the file
  io::AtomicModel records;             ///< (N) the atom that names each bead in output files

  std::size_t size() const { return amplitudes.size(); }
};

/// Whether protein beads i < j follow each other in an unbroken chain: CA are 3.8 Å (trans) or 2.9 Å (cis)
/// apart, and in models that are averages of many up to 4.6 Å where the residue numbers are consecutive as
/// well.
bool peptide_bonded(const BeadModel& beads, std::int32_t i, std::int32_t j);

/// Throws Error if nothing of the model becomes a bead.
BeadModel make_beads(const io::AtomicModel& model, BeadLevel level);

}  // namespace cryoscape::structure
