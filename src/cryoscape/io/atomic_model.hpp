#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace cryoscape::io {

/// What a residue is made of.
enum class Polymer : std::uint8_t { protein, nucleic, other };

/// One atom as a model file has it.
struct AtomRecord {
  std::string name;          ///< "CA", "C4'"
  std::string residue_name;  ///< "ALA", "HSD", "A", "ATP"
  std::string chain;         ///< author's chain name, may be blank
  int residue_number = 0;    ///< author's
  char insertion_code = ' ';
  std::string element;  ///< "C", upper case
  int atomic_number = 6;
  std::array<float, 3> position{};  ///< Å
  float occupancy = 1, b_factor = 0;
  Polymer polymer = Polymer::other;
  bool hydrogen = false, water = false, hetero = false;
};

/// Whether two neighbours in a file belong to one residue.
bool same_residue(const AtomRecord& a, const AtomRecord& b);

/// Atoms of one model in file order, one conformer per residue.
struct AtomicModel {
  std::vector<AtomRecord> atoms;
};

/// Reads every model of a PDB or mmCIF file (plain or gzipped). Of alternative conformers, and of different
/// residues at one place of a chain, the one with the highest occupancy is kept. Throws Error when the file
/// is missing, unreadable, or has no atoms.
std::vector<AtomicModel> read_models(const std::filesystem::path& path);

/// Positions (M, 3N) of models that share one list of atoms, and optionally a B factor per atom and model.
struct ModelSeries {
  const AtomicModel* atoms = nullptr;
  std::vector<std::vector<float>> positions;  ///< one (3N) per model
  std::vector<std::vector<float>> b_factors;  ///< empty, or one (N) per model
};

/// Writes models as mmCIF (.cif) or PDB (.pdb), by extension; beside and renamed. What PDB has no columns for
/// is shortened: long chain names to free letters, residue numbers to four digits, residue names to three
/// letters.
void write_models(const std::filesystem::path& path, const ModelSeries& series);

/// (3N) positions of a model's atoms.
std::vector<float> positions_of(const AtomicModel& model);

}  // namespace cryoscape::io
