#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "cryoscape/structure/beads.hpp"
#include "cryoscape/util/random.hpp"

/// Small models for the tests of this room.
namespace cryoscape::structure {

struct ResidueName {
  std::string name, chain;
  int number;
  char insertion_code = ' ';
};

struct Atom {
  std::string name;
  int atomic_number;
  std::array<float, 3> position;
};

inline void add_residue(io::AtomicModel& model, const ResidueName& residue, const std::vector<Atom>& atoms,
                        io::Polymer polymer = io::Polymer::protein) {
  for (const auto& atom : atoms) {
    io::AtomRecord a;
    a.name = atom.name;
    a.residue_name = residue.name, a.chain = residue.chain, a.residue_number = residue.number,
    a.insertion_code = residue.insertion_code;
    a.atomic_number = atom.atomic_number, a.hydrogen = atom.atomic_number == 1;
    a.element = atom.name.substr(0, 1);
    a.position = atom.position, a.polymer = polymer;
    model.atoms.push_back(a);
  }
}

inline constexpr std::array<float, 3> kPhosphorus{0, 0, 0}, kSugarCarbon{2, 3, 0}, kBaseNitrogen{3, 7, 0},
    kBaseCarbon{4, 8, 1};

/// A nucleotide of few atoms whose P, if it has one, is at `at`.
inline void add_nucleotide(io::AtomicModel& model, const std::string& chain, int number,
                           const std::array<float, 3>& at, bool phosphate) {
  const auto shifted = [&](const std::array<float, 3>& p) {
    return std::array{p[0] + at[0], p[1] + at[1], p[2] + at[2]};
  };
  std::vector<Atom> atoms;
  if (phosphate)
    for (const char* name : {"P", "OP1", "OP2"})
      atoms.push_back({name, name[0] == 'P' ? 15 : 8, shifted(kPhosphorus)});
  atoms.push_back({"O5'", 8, shifted({1, 1, 0})});
  atoms.push_back({"C4'", 6, shifted(kSugarCarbon)});
  atoms.push_back({"N9", 7, shifted(kBaseNitrogen)});
  atoms.push_back({"C8", 6, shifted(kBaseCarbon)});
  add_residue(model, {"A", chain, number}, atoms, io::Polymer::nucleic);
}

/// Appends a chain of `count` CA, 3.8 Å from one to the next and at least 4.5 Å from all others: a random
/// walk in a ball that steps back where it is caught.
inline void add_chain(io::AtomicModel& model, const std::string& chain, int count,
                      const std::array<float, 3>& start, Philox& random) {
  const std::size_t first = model.atoms.size();
  add_residue(model, {"LEU", chain, 1}, {{"CA", 6, start}});
  const auto distance = [](const auto& a, const auto& b) {
    return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
  };
  for (int tries = 0; model.atoms.size() < first + static_cast<std::size_t>(count);) {
    auto next = model.atoms.back().position;
    double step[3], length = 0;
    for (double& s : step) s = random.normal(), length += s * s;
    for (int k = 0; k < 3; ++k) next[k] += static_cast<float>(3.8 * step[k] / std::sqrt(length));
    bool free = distance(next, start) < 25;
    for (std::size_t m = 0; free && m + 1 < model.atoms.size(); ++m)
      free = distance(next, model.atoms[m].position) > 4.5f;
    if (free) {
      add_residue(model, {"LEU", chain, static_cast<int>(model.atoms.size() - first) + 1}, {{"CA", 6, next}});
      tries = 0;
    } else if (++tries > 200) {
      model.atoms.resize(std::max(first + 1, model.atoms.size() - 5));
      tries = 0;
    }
  }
}

}  // namespace cryoscape::structure
