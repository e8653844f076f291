#include "cryoscape/landscape/shared_residues.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "cryoscape/util/error.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kFewestShared = 3;  ///< fewer points leave the superposition open

using Key = std::tuple<std::string, int, char, std::string>;

bool nameless(const structure::BeadModel& beads) {
  return std::all_of(beads.records.atoms.begin(), beads.records.atoms.end(),
                     [](const auto& atom) { return atom.chain.empty() || atom.chain == " "; });
}

Key key_of(const io::AtomRecord& atom, bool with_chain) {
  return {with_chain ? atom.chain : std::string(), atom.residue_number, atom.insertion_code, atom.name};
}

structure::BeadLevel level_of(const structure::BeadModel& beads) {
  return beads.kinds.front() == structure::BeadKind::atom ? structure::BeadLevel::all_atom
                                                          : structure::BeadLevel::residue;
}

}  // namespace

SharedModels read_shared_models(const std::filesystem::path& file, const structure::BeadModel& molecule) {
  std::vector<std::map<Key, std::array<float, 3>>> models;
  bool with_chain = !nameless(molecule);
  std::vector<structure::BeadModel> read;
  for (const auto& model : io::read_models(file)) {
    read.push_back(structure::make_beads(model, level_of(molecule)));
    with_chain = with_chain && !nameless(read.back());
  }
  for (const auto& beads : read) {
    auto& positions = models.emplace_back();
    for (std::size_t i = 0; i < beads.size(); ++i)
      positions.try_emplace(
          key_of(beads.records.atoms[i], with_chain),
          std::array{beads.coordinates[3 * i], beads.coordinates[3 * i + 1], beads.coordinates[3 * i + 2]});
  }
  SharedModels shared;
  shared.models.resize(models.size());
  for (std::size_t i = 0; i < molecule.size(); ++i) {
    const auto key = key_of(molecule.records.atoms[i], with_chain);
    if (!std::all_of(models.begin(), models.end(), [&](const auto& m) { return m.contains(key); })) continue;
    shared.beads.push_back(static_cast<std::uint32_t>(i));
    for (std::size_t m = 0; m < models.size(); ++m) {
      const auto& x = models[m].at(key);
      shared.models[m].insert(shared.models[m].end(), x.begin(), x.end());
    }
  }
  if (shared.beads.size() < kFewestShared)
    fail(
        "{} shares {} residues with the reference, but at least {} are needed: chains, residue numbers and "
        "atom names must agree",
        file.string(), shared.beads.size(), kFewestShared);
  return shared;
}

std::vector<float> picked(std::span<const float> structure, std::span<const std::uint32_t> beads) {
  std::vector<float> out;
  out.reserve(3 * beads.size());
  for (const auto b : beads) out.insert(out.end(), &structure[3 * b], &structure[3 * b] + 3);
  return out;
}

}  // namespace cryoscape::landscape
