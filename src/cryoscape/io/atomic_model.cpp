#include "cryoscape/io/atomic_model.hpp"

#define GEMMI_WRITE_IMPLEMENTATION
#include <fmt/format.h>

#include <algorithm>
#include <gemmi/gz.hpp>
#include <gemmi/mmread.hpp>
#include <gemmi/polyheur.hpp>
#include <gemmi/resinfo.hpp>
#include <iterator>
#include <map>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::io {
namespace {

bool has_atom(const gemmi::Residue& residue, const std::string& name) {
  for (const auto& atom : residue.atoms)
    if (atom.name == name) return true;
  return false;
}

/// Files from simulations often have no element column and names in the wrong columns: "CA" then reads as
/// calcium, "HG" as mercury, "HB1" as nothing. In the residue of a polymer such elements are what the name's
/// first letter says.
void repair_elements(gemmi::Residue& residue) {
  const bool peptide =
      has_atom(residue, "CA") && ((has_atom(residue, "N") && has_atom(residue, "C")) ||
                                  gemmi::find_tabulated_residue(residue.name).is_amino_acid());
  if (!peptide && !has_atom(residue, "C4'") && !has_atom(residue, "C4*")) return;
  for (auto& atom : residue.atoms) {
    const auto letter =
        std::find_if(atom.name.begin(), atom.name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    const std::string symbol = atom.element.uname();
    const bool guessed =
        atom.element == gemmi::El::X ||
        (symbol.size() == 2 && atom.name.starts_with(symbol) && symbol != "SE" && symbol != "CL");
    if (guessed && letter != atom.name.end() && std::string("HCNOSP").find(*letter) != std::string::npos)
      atom.element = gemmi::Element(std::string(1, *letter));
  }
}

/// By its atoms, so that HSD, MSE and modified bases count for what they are; calcium ("CA" of element Ca) is
/// no protein.
Polymer polymer_of(const gemmi::Residue& residue) {
  for (const auto& atom : residue.atoms)
    if (atom.name == "CA" && atom.element == gemmi::El::C) return Polymer::protein;
  if (has_atom(residue, "C4'") || has_atom(residue, "C4*") ||
      (has_atom(residue, "P") && has_atom(residue, "O5'")))
    return residue.atoms.size() > 3 && !has_atom(residue, "PB") ? Polymer::nucleic : Polymer::other;
  const auto info = gemmi::find_tabulated_residue(residue.name);
  return info.is_nucleic_acid() && has_atom(residue, "P") ? Polymer::nucleic : Polymer::other;
}

/// The alternative location with the highest occupancy of the residue; '\0' where there is none.
char chosen_conformer(const gemmi::Residue& residue) {
  std::map<char, double> occupancy;
  for (const auto& atom : residue.atoms)
    if (atom.altloc != '\0') occupancy[atom.altloc] += atom.occ;
  char best = '\0';
  for (const auto& [altloc, sum] : occupancy)
    if (best == '\0' || sum > occupancy[best] + 1e-6) best = altloc;
  return best;
}

void append_residue(const gemmi::Residue& residue, const std::string& chain, AtomicModel& out) {
  const char conformer = chosen_conformer(residue);
  const auto polymer = polymer_of(residue);
  const bool water = gemmi::find_tabulated_residue(residue.name).is_water() || residue.name == "TIP3" ||
                     residue.name == "SOL";
  for (const auto& atom : residue.atoms) {
    if (atom.altloc != '\0' && atom.altloc != conformer) continue;
    AtomRecord a;
    a.name = atom.name, a.residue_name = residue.name, a.chain = chain;
    a.residue_number = residue.seqid.num.has_value() ? *residue.seqid.num : 0;
    a.insertion_code = residue.seqid.icode;
    a.element = atom.element.uname();
    a.atomic_number = atom.element.atomic_number();
    a.position = {static_cast<float>(atom.pos.x), static_cast<float>(atom.pos.y),
                  static_cast<float>(atom.pos.z)};
    a.occupancy = atom.occ, a.b_factor = atom.b_iso;
    a.polymer = polymer, a.water = water, a.hydrogen = atom.is_hydrogen();
    a.hetero = residue.het_flag == 'H';
    out.atoms.push_back(a);
  }
}

double highest_occupancy(const gemmi::Residue& residue) {
  double highest = 0;
  for (const auto& atom : residue.atoms) highest = std::max(highest, static_cast<double>(atom.occ));
  return highest;
}

/// Whether `residue` gives way to another one at the same place of the chain (point mutations, modified in
/// part).
bool outranked(const gemmi::Chain& chain, const gemmi::Residue& residue) {
  const auto alternative = [](const gemmi::Residue& r) {
    return !r.atoms.empty() && r.atoms.front().altloc != '\0';
  };
  if (!alternative(residue)) return false;
  const double own = highest_occupancy(residue);
  for (auto other = &residue + 1; other != chain.residues.data() + chain.residues.size(); ++other) {
    if (other->seqid != residue.seqid || !alternative(*other)) break;
    if (highest_occupancy(*other) > own + 1e-6) return true;
  }
  for (auto other = &residue; other-- != chain.residues.data();) {
    if (other->seqid != residue.seqid || !alternative(*other)) break;
    if (highest_occupancy(*other) > own - 1e-6) return true;
  }
  return false;
}

/// PDB columns for an atom's name: names of four letters and of two-letter elements start one column earlier.
std::string pdb_atom_name(const AtomRecord& a) {
  if (a.name.size() >= 4 || a.element.size() == 2) return fmt::format("{:<4}", a.name);
  return fmt::format(" {:<3}", a.name);
}

/// One letter for every chain: its own where it is one letter, else the first that is free.
std::map<std::string, char> chain_letters(const AtomicModel& model) {
  std::map<std::string, char> letters;
  std::string pool = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  for (const auto& a : model.atoms)
    if (a.chain.size() < 2 && letters.try_emplace(a.chain, a.chain.empty() ? ' ' : a.chain[0]).second &&
        !a.chain.empty())
      std::erase(pool, a.chain[0]);
  std::size_t next = 0;
  for (const auto& a : model.atoms)
    if (!letters.contains(a.chain)) letters[a.chain] = pool.empty() ? ' ' : pool[next++ % pool.size()];
  return letters;
}

/// The columns before and after what changes from model to model.
struct PdbLine {
  std::string before;
  const AtomRecord* atom;
};

std::vector<PdbLine> pdb_lines(const AtomicModel& model) {
  const auto letters = chain_letters(model);
  std::vector<PdbLine> lines;
  for (const auto& a : model.atoms)
    lines.push_back({fmt::format("{:<6}{:>5} {} {:>3} {}{:>4}{}   ", a.hetero ? "HETATM" : "ATOM",
                                 (lines.size() + 1) % 100000, pdb_atom_name(a), a.residue_name.substr(0, 3),
                                 letters.at(a.chain), a.residue_number % 10000, a.insertion_code),
                     &a});
  return lines;
}

void write_pdb_model(std::ostream& stream, const std::vector<PdbLine>& lines, const ModelSeries& series,
                     std::size_t m) {
  fmt::memory_buffer text;
  const auto& x = series.positions[m];
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& a = *lines[i].atom;
    const float b = series.b_factors.empty() ? a.b_factor : series.b_factors[m][i];
    fmt::format_to(std::back_inserter(text), "{}{:8.3f}{:8.3f}{:8.3f}{:6.2f}{:6.2f}          {:>2}\n",
                   lines[i].before, x[3 * i], x[3 * i + 1], x[3 * i + 2], a.occupancy, std::min(b, 999.99f),
                   a.element);
  }
  stream.write(text.data(), static_cast<std::streamsize>(text.size()));
}

/// A value of an mmCIF table: names with primes or blanks need quotes, an empty one is '.'.
std::string cif_value(const std::string& text) {
  if (text.empty() || text == " ") return ".";
  if (text.find_first_of(" '\"#") == std::string::npos) return text;
  return text.find('"') == std::string::npos ? '"' + text + '"' : '\'' + text + '\'';
}

/// What stands in a row between its number and the coordinates, and behind the B factor.
struct CifRow {
  std::string group, identity, author;
};

std::vector<CifRow> cif_rows(const AtomicModel& model) {
  std::vector<CifRow> rows;
  for (const auto& a : model.atoms) {
    const std::string chain = a.chain.empty() || a.chain == " " ? "A" : cif_value(a.chain);
    const std::string code = a.insertion_code == ' ' ? "?" : std::string(1, a.insertion_code);
    rows.push_back({a.hetero ? "HETATM" : "ATOM",
                    fmt::format("{} {} . {} {} 1 {} {}", a.element, cif_value(a.name),
                                cif_value(a.residue_name), chain, a.residue_number, code),
                    fmt::format("{} {}", a.residue_number, chain)});
  }
  return rows;
}

void write_cif_rows(std::ostream& stream, const ModelSeries& series) {
  const auto rows = cif_rows(*series.atoms);
  std::size_t serial = 0;
  for (std::size_t m = 0; m < series.positions.size(); ++m) {
    fmt::memory_buffer text;
    const auto& x = series.positions[m];
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto& a = series.atoms->atoms[i];
      const float b = series.b_factors.empty() ? a.b_factor : series.b_factors[m][i];
      fmt::format_to(std::back_inserter(text), "{} {} {} {:.3f} {:.3f} {:.3f} {:.2f} {:.2f} {} {}\n",
                     rows[i].group, ++serial, rows[i].identity, x[3 * i], x[3 * i + 1], x[3 * i + 2],
                     a.occupancy, b, rows[i].author, m + 1);
    }
    stream.write(text.data(), static_cast<std::streamsize>(text.size()));
  }
}

}  // namespace

bool same_residue(const AtomRecord& a, const AtomRecord& b) {
  return a.chain == b.chain && a.residue_number == b.residue_number && a.insertion_code == b.insertion_code &&
         a.residue_name == b.residue_name;
}

std::vector<AtomicModel> read_models(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) fail("cannot open the model {}: no such file", path.string());
  if (std::filesystem::is_directory(path)) fail("cannot open the model {}: it is a folder", path.string());
  gemmi::MaybeGzipped input(path.string());
  if (gemmi::coor_format_from_ext(input.basepath()) == gemmi::CoorFormat::Unknown)
    fail("{} is no atomic model: its name must end in .pdb, .ent, .cif or .mmcif (or these with .gz)",
         path.string());
  gemmi::Structure structure;
  try {
    structure = gemmi::read_structure(std::move(input));
  } catch (const std::out_of_range&) {
    fail("the model {} has no atoms", path.string());
  } catch (const std::exception& e) {
    std::string reason = e.what();
    fail("cannot read the model {}: {}", path.string(), reason.substr(0, reason.find('\n')));
  }
  std::vector<AtomicModel> models;
  for (auto& model : structure.models) {
    AtomicModel out;
    for (auto& chain : model.chains)
      for (auto& residue : chain.residues) {
        if (outranked(chain, residue)) continue;
        repair_elements(residue);
        append_residue(residue, chain.name, out);
      }
    if (!out.atoms.empty()) models.push_back(std::move(out));
  }
  if (models.empty()) fail("the model {} has no atoms", path.string());
  return models;
}

void write_models(const std::filesystem::path& path, const ModelSeries& series) {
  const bool pdb = path.extension() == ".pdb";
  replace_file_stream(path, [&](std::ostream& stream) {
    if (pdb) {
      const auto lines = pdb_lines(*series.atoms);
      for (std::size_t m = 0; m < series.positions.size(); ++m) {
        if (series.positions.size() > 1) stream << fmt::format("MODEL     {:>4}\n", m + 1);
        write_pdb_model(stream, lines, series, m);
        if (series.positions.size() > 1) stream << "ENDMDL\n";
      }
      stream << "END\n";
      return;
    }
    stream << "data_cryoscape\n#\nloop_\n";
    for (const char* label :
         {"group_PDB", "id", "type_symbol", "label_atom_id", "label_alt_id", "label_comp_id", "label_asym_id",
          "label_entity_id", "label_seq_id", "pdbx_PDB_ins_code", "Cartn_x", "Cartn_y", "Cartn_z",
          "occupancy", "B_iso_or_equiv", "auth_seq_id", "auth_asym_id", "pdbx_PDB_model_num"})
      stream << "_atom_site." << label << '\n';
    write_cif_rows(stream, series);
    stream << "#\n";
  });
}

std::vector<float> positions_of(const AtomicModel& model) {
  std::vector<float> x;
  x.reserve(3 * model.atoms.size());
  for (const auto& a : model.atoms) x.insert(x.end(), a.position.begin(), a.position.end());
  return x;
}

}  // namespace cryoscape::io
