#include "cryoscape/structure/beads.hpp"

#include <algorithm>
#include <map>

#include "cryoscape/util/error.hpp"

namespace cryoscape::structure {
namespace {

constexpr std::size_t kLigandAtomsPerBead = 8;

/// Electrons of an amino acid residue (the acid less one water), neutral.
float residue_electrons(const std::string& name) {
  static const std::map<std::string, float> kTable{
      {"GLY", 30}, {"ALA", 38}, {"SER", 46}, {"PRO", 52}, {"VAL", 54}, {"THR", 54}, {"CYS", 54}, {"LEU", 62}, {"ILE", 62},
      {"ASN", 60}, {"ASP", 60}, {"GLN", 68}, {"LYS", 70}, {"GLU", 68}, {"MET", 70}, {"HIS", 72}, {"HSD", 72}, {"HSE", 72},
      {"HSP", 72}, {"PHE", 78}, {"ARG", 84}, {"TYR", 86}, {"TRP", 98}, {"MSE", 88}, {"SEC", 72}, {"PYL", 132}};
  constexpr float kAverage = 58;
  const auto found = kTable.find(name);
  return found == kTable.end() ? kAverage : found->second;
}

/// A residue's atoms, [begin, end) in the model.
struct Residue {
  std::size_t begin, end;
};

std::vector<Residue> split_residues(const std::vector<io::AtomRecord>& atoms) {
  std::vector<Residue> residues;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const bool same = i > 0 && atoms[i].chain == atoms[i - 1].chain && atoms[i].residue_number == atoms[i - 1].residue_number &&
                      atoms[i].insertion_code == atoms[i - 1].insertion_code &&
                      atoms[i].residue_name == atoms[i - 1].residue_name;
    if (!same) residues.push_back({i, i});
    residues.back().end = i + 1;
  }
  return residues;
}

/// Collects beads; keeps the parallel arrays of BeadModel in step.
class Builder {
 public:
  Builder(const std::vector<io::AtomRecord>& atoms, BeadModel& out) : atoms_(atoms), out_(out) {}

  void begin_residue(const Residue& residue, std::int32_t index) {
    const auto& chain = atoms_[residue.begin].chain;
    chain_ = chains_.try_emplace(chain, static_cast<std::int32_t>(chains_.size())).first->second;
    residue_ = index;
  }

  void add(const io::AtomRecord& record, BeadKind kind, float electrons) { add_at(record, kind, electrons, record.position); }

  void add_centroid(const std::vector<std::size_t>& group, BeadKind kind, float extra_electrons) {
    if (group.empty()) return;
    std::array<float, 3> centre{};
    float electrons = extra_electrons;
    for (const auto i : group) {
      electrons += static_cast<float>(atoms_[i].atomic_number);
      for (int k = 0; k < 3; ++k) centre[k] += atoms_[i].position[k] / static_cast<float>(group.size());
    }
    add_at(atoms_[group.front()], kind, electrons, centre);
  }

 private:
  void add_at(const io::AtomRecord& record, BeadKind kind, float electrons, const std::array<float, 3>& position) {
    out_.coordinates.insert(out_.coordinates.end(), position.begin(), position.end());
    out_.amplitudes.push_back(electrons);
    out_.kinds.push_back(kind);
    out_.chains.push_back(chain_);
    out_.residues.push_back(residue_);
    out_.records.atoms.push_back(record);
    out_.records.atoms.back().position = position;
  }

  const std::vector<io::AtomRecord>& atoms_;
  BeadModel& out_;
  std::map<std::string, std::int32_t> chains_;
  std::int32_t chain_ = 0, residue_ = 0;
};

void add_protein(const std::vector<io::AtomRecord>& atoms, const Residue& r, Builder& builder) {
  for (std::size_t i = r.begin; i < r.end; ++i)
    if (atoms[i].name == "CA") return builder.add(atoms[i], BeadKind::protein, residue_electrons(atoms[i].residue_name));
}

/// Hydrogens that are not in the file are counted: 7 of a sugar, 5 of a base.
void add_nucleotide(const std::vector<io::AtomRecord>& atoms, const Residue& r, Builder& builder) {
  std::vector<std::size_t> phosphate, sugar, base;
  for (std::size_t i = r.begin; i < r.end; ++i) {
    const auto& a = atoms[i];
    if (a.hydrogen) continue;
    const bool phosphoric = a.name == "P" || a.name.starts_with("OP") || a.name == "O1P" || a.name == "O2P" || a.name == "O5'" || a.name == "O5*";
    const bool sugary = a.name.find_first_of("'*") != std::string::npos;
    (phosphoric ? phosphate : sugary ? sugar : base).push_back(i);
  }
  // The beads of phosphate and sugar sit at P and C4', those of bases at their centres.
  const auto place = [&](const std::vector<std::size_t>& group, const char* name, BeadKind kind, float hydrogens) {
    float electrons = hydrogens;
    for (const auto i : group) electrons += static_cast<float>(atoms[i].atomic_number);
    for (const auto i : group)
      if (atoms[i].name == name || (atoms[i].name == "C4*" && kind == BeadKind::sugar)) return builder.add(atoms[i], kind, electrons);
  };
  place(phosphate, "P", BeadKind::phosphate, 0);
  place(sugar, "C4'", BeadKind::sugar, 7);
  builder.add_centroid(base, BeadKind::base, 5);
}

void add_ligand(const std::vector<io::AtomRecord>& atoms, const Residue& r, Builder& builder) {
  std::vector<std::size_t> group;
  for (std::size_t i = r.begin; i < r.end; ++i) {
    if (atoms[i].hydrogen) continue;
    group.push_back(i);
    if (group.size() == kLigandAtomsPerBead) {
      builder.add_centroid(group, BeadKind::ligand, 0);
      group.clear();
    }
  }
  builder.add_centroid(group, BeadKind::ligand, 0);
}

/// Hydrogens count with the heavy atom before them in the file.
void add_heavy_atoms(const std::vector<io::AtomRecord>& atoms, const Residue& r, Builder& builder) {
  for (std::size_t i = r.begin; i < r.end; ++i) {
    if (atoms[i].hydrogen) continue;
    auto electrons = static_cast<float>(atoms[i].atomic_number);
    for (std::size_t h = i + 1; h < r.end && atoms[h].hydrogen; ++h) electrons += 1;
    builder.add(atoms[i], BeadKind::atom, electrons);
  }
}

}  // namespace

BeadLevel parse_bead_level(const std::string& text) {
  if (text == "residue") return BeadLevel::residue;
  if (text == "all-atom") return BeadLevel::all_atom;
  fail("--beads is '{}', but must be residue or all-atom", text);
}

BeadModel make_beads(const io::AtomicModel& model, BeadLevel level) {
  BeadModel out;
  Builder builder(model.atoms, out);
  std::int32_t index = 0;
  for (const auto& residue : split_residues(model.atoms)) {
    const auto& first = model.atoms[residue.begin];
    builder.begin_residue(residue, index++);
    if (first.water) continue;
    if (level == BeadLevel::all_atom)
      add_heavy_atoms(model.atoms, residue, builder);
    else if (first.polymer == io::Polymer::protein)
      add_protein(model.atoms, residue, builder);
    else if (first.polymer == io::Polymer::nucleic)
      add_nucleotide(model.atoms, residue, builder);
    else
      add_ligand(model.atoms, residue, builder);
  }
  if (out.size() == 0) fail("the reference model has no protein, nucleic acid or ligand atoms: nothing to project");
  return out;
}

}  // namespace cryoscape::structure
