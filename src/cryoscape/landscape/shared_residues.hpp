#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "cryoscape/structure/beads.hpp"

namespace cryoscape::landscape {

/// Models of another file, reduced to what they share with a molecule.
struct SharedModels {
  std::vector<std::uint32_t> beads;        ///< (S) of the molecule, ascending
  std::vector<std::vector<float>> models;  ///< (3S) Å each, in the order of `beads`
};

/// Reads all models of a file and matches their beads with the molecule's by chain, residue number, insertion
/// code and atom name; chains do not count where one of the two has a single chain without a name. Only what
/// all models have is kept. Throws Error if that is fewer than three beads.
SharedModels read_shared_models(const std::filesystem::path& file, const structure::BeadModel& molecule);

/// Coordinates (3S) of beads (S) of a structure (3N).
std::vector<float> picked(std::span<const float> structure, std::span<const std::uint32_t> beads);

}  // namespace cryoscape::landscape
