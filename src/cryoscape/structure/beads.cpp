#include "cryoscape/structure/beads.hpp"

#include <algorithm>
#include <map>

#include "cryoscape/util/error.hpp"

namespace cryoscape::structure {
namespace {

constexpr std::size_t kLigandAtomsPerBead = 8;

constexpr float kAverageNucleotide = 166;
constexpr float kAverageAminoAcid = 58;

/// Electrons of an amino acid residue (the acid less one water), neutral; 0 for residues that are not in the
/// table.
float tabulated_electrons(const std::string& name) {
  static const std::map<std::string, float> kTable{
      {"GLY", 30}, {"ALA", 38}, {"SER", 46}, {"PRO", 52}, {"VAL", 54}, {"THR", 54}, {"CYS", 54},
      {"LEU", 62}, {"ILE", 62}, {"ASN", 60}, {"ASP", 60}, {"GLN", 68}, {"LYS", 70}, {"GLU", 68},
      {"MET", 70}, {"HIS", 72}, {"HSD", 72}, {"HSE", 72}, {"HSP", 72}, {"PHE", 78}, {"ARG", 84},
      {"TYR", 86}, {"TRP", 98}, {"MSE", 88}, {"SEC", 72}, {"PYL", 128}};
  const auto found = kTable.find(name);
  return found == kTable.end() ? 0 : found->second;
}

/// A residue's atoms, [begin, end) in the model.
struct Residue {
  std::size_t begin, end;
};

std::vector<Residue> split_residues(const std::vector<io::AtomRecord>& atoms) {
  std::vector<Residue> residues;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const bool same = i > 0 && io::same_residue(atoms[i - 1], atoms[i]);
    if (!same) residues.push_back({i, i});
    residues.back().end = i + 1;
  }
  return residues;
}

float squared_distance(const io::AtomRecord& a, const io::AtomRecord& b) {
  float sum = 0;
  for (int k = 0; k < 3; ++k) sum += (a.position[k] - b.position[k]) * (a.position[k] - b.position[k]);
  return sum;
}

/// Electrons of each atom of a residue: heavy atoms with the hydrogens of the file that are nearest to them
/// (files list hydrogens behind their atom or behind the whole residue), 0 for the hydrogens themselves.
std::vector<float> electrons_with_hydrogens(const std::vector<io::AtomRecord>& atoms, const Residue& r) {
  std::vector<float> electrons(r.end - r.begin, 0.0f);
  for (std::size_t i = r.begin; i < r.end; ++i) {
    if (!atoms[i].hydrogen) {
      electrons[i - r.begin] += static_cast<float>(atoms[i].atomic_number);
      continue;
    }
    std::size_t nearest = r.end;
    for (std::size_t j = r.begin; j < r.end; ++j)
      if (!atoms[j].hydrogen && (nearest == r.end || squared_distance(atoms[i], atoms[j]) <
                                                         squared_distance(atoms[i], atoms[nearest])))
        nearest = j;
    if (nearest != r.end) electrons[nearest - r.begin] += 1;
  }
  return electrons;
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

  void add(const io::AtomRecord& record, BeadKind kind, float electrons) {
    add_at(record, kind, electrons, record.position);
  }

  void add_centroid(const std::vector<std::size_t>& group, BeadKind kind, float electrons) {
    if (group.empty()) return;
    std::array<float, 3> centre{};
    for (const auto i : group)
      for (int k = 0; k < 3; ++k) centre[k] += atoms_[i].position[k] / static_cast<float>(group.size());
    add_at(atoms_[group.front()], kind, electrons, centre);
  }

 private:
  void add_at(const io::AtomRecord& record, BeadKind kind, float electrons,
              const std::array<float, 3>& position) {
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

/// Residues out of the table are counted by their atoms, with one hydrogen per heavy atom where the file has
/// none.
float residue_electrons(const std::vector<io::AtomRecord>& atoms, const Residue& r) {
  if (const float known = tabulated_electrons(atoms[r.begin].residue_name); known > 0) return known;
  if (r.end - r.begin < 4) return kAverageAminoAcid;
  float sum = 0, heavy = 0, hydrogens = 0;
  for (std::size_t i = r.begin; i < r.end; ++i) {
    sum += atoms[i].hydrogen ? 0.0f : static_cast<float>(atoms[i].atomic_number);
    (atoms[i].hydrogen ? hydrogens : heavy) += 1;
  }
  return sum + (hydrogens > 0 ? hydrogens : heavy);
}

void add_protein(const std::vector<io::AtomRecord>& atoms, const Residue& r, Builder& builder) {
  for (std::size_t i = r.begin; i < r.end; ++i)
    if (atoms[i].name == "CA") return builder.add(atoms[i], BeadKind::protein, residue_electrons(atoms, r));
}

/// The beads of phosphate and sugar sit at P and C4', those of bases at their centres. Hydrogens are counted
/// whether or not the file has them: 7 of a sugar, 5 of a base. A trace of P alone stands for whole
/// nucleotides.
void add_nucleotide(const std::vector<io::AtomRecord>& atoms, const Residue& r, Builder& builder) {
  constexpr float kSugarHydrogens = 7, kBaseHydrogens = 5;
  const io::AtomRecord *phosphorus = nullptr, *sugar_carbon = nullptr;
  float phosphate = 0, sugar = 0, base = 0;
  std::vector<std::size_t> base_atoms;
  for (std::size_t i = r.begin; i < r.end; ++i) {
    const auto& a = atoms[i];
    if (a.hydrogen) continue;
    const bool phosphoric = a.name == "P" || a.name.starts_with("OP") || a.name == "O1P" || a.name == "O2P" ||
                            a.name == "O5'" || a.name == "O5*";
    const bool sugary = a.name.find_first_of("'*") != std::string::npos;
    (phosphoric ? phosphate : sugary ? sugar : base) += static_cast<float>(a.atomic_number);
    if (!phosphoric && !sugary) base_atoms.push_back(i);
    if (a.name == "P") phosphorus = &a;
    if (a.name == "C4'" || a.name == "C4*") sugar_carbon = &a;
  }
  if (phosphorus && !sugar_carbon && base_atoms.empty())
    return builder.add(*phosphorus, BeadKind::phosphate, kAverageNucleotide);
  // The first nucleotide of a chain often has O5' but no P: the sugar takes it.
  if (!phosphorus) sugar += phosphate;
  if (phosphorus) builder.add(*phosphorus, BeadKind::phosphate, phosphate);
  if (sugar_carbon) builder.add(*sugar_carbon, BeadKind::sugar, sugar + kSugarHydrogens);
  builder.add_centroid(base_atoms, BeadKind::base, base + kBaseHydrogens);
}

void add_ligand(const std::vector<io::AtomRecord>& atoms, const Residue& r, Builder& builder) {
  const auto electrons = electrons_with_hydrogens(atoms, r);
  std::vector<std::size_t> group;
  float sum = 0;
  const auto close = [&] {
    builder.add_centroid(group, BeadKind::ligand, sum);
    group.clear();
    sum = 0;
  };
  for (std::size_t i = r.begin; i < r.end; ++i) {
    if (atoms[i].hydrogen) continue;
    group.push_back(i);
    sum += electrons[i - r.begin];
    if (group.size() == kLigandAtomsPerBead) close();
  }
  close();
}

void add_heavy_atoms(const std::vector<io::AtomRecord>& atoms, const Residue& r, Builder& builder) {
  const auto electrons = electrons_with_hydrogens(atoms, r);
  for (std::size_t i = r.begin; i < r.end; ++i)
    if (!atoms[i].hydrogen) builder.add(atoms[i], BeadKind::atom, electrons[i - r.begin]);
}

}  // namespace

BeadLevel parse_bead_level(const std::string& text) {
  if (text == "residue") return BeadLevel::residue;
  if (text == "all-atom") return BeadLevel::all_atom;
  fail("--beads is '{}', but must be residue or all-atom", text);
}

bool peptide_bonded(const BeadModel& beads, std::int32_t i, std::int32_t j) {
  constexpr float kFarthest = 4.2f, kFarthestConsecutive = 4.6f;
  if (i < 0 || j != i + 1 || j >= static_cast<std::int32_t>(beads.size())) return false;
  if (beads.kinds[i] != BeadKind::protein || beads.kinds[j] != BeadKind::protein ||
      beads.chains[i] != beads.chains[j])
    return false;
  const auto& records = beads.records.atoms;
  const bool consecutive = records[j].residue_number == records[i].residue_number + 1;
  const float limit = consecutive ? kFarthestConsecutive : kFarthest;
  float square = 0;
  for (int k = 0; k < 3; ++k) {
    const float d = beads.coordinates[3 * i + k] - beads.coordinates[3 * j + k];
    square += d * d;
  }
  return square < limit * limit;
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
  if (out.size() == 0)
    fail("the reference model has no protein, nucleic acid or ligand atoms: nothing to project");
  return out;
}

}  // namespace cryoscape::structure
