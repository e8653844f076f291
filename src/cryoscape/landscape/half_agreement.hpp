#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "cryoscape/landscape/states.hpp"

namespace cryoscape::landscape {

/// A state as one of two runs found it.
struct HalfState {
  double population = 0, population_error = 0;
  std::vector<float> positions;  ///< (3N) Å, in any frame
};

/// The same state in both runs, 0-based.
struct HalfMatch {
  std::size_t own = 0, other = 0;
  double rmsd = 0;                   ///< Å, after superposition
  double difference = 0, error = 0;  ///< of populations, own − other
};

/// How far two runs, each trained on its half of the particles, found the same states.
struct HalfAgreement {
  std::vector<HalfMatch> matches;  ///< in the order of own states
  std::size_t own = 0, other = 0;  ///< states of each
  double tolerance = 0;            ///< Å: what may part the two models of one state
  double agreement = 0;            ///< Σ over matches of the smaller population: 1 for equal sets

  bool found_in_both(std::size_t own_state) const;
};

/// Matches states by the distance of their models, at most half the smallest distance between two states of
/// one run, so that no state has two partners. Where neither run has two states there is no such limit.
HalfAgreement compare_halves(std::span<const HalfState> own, std::span<const HalfState> other);

/// States and models that `landscape` left in a run's folder. Throws Error for a folder without them.
std::vector<HalfState> read_half_states(const std::filesystem::path& run);

/// Leaves only states that are found in both: those that remain are numbered anew, with energies relative to
/// the most populated of them; particles of the others get state 0. Populations stay.
void keep_found_in_both(StateSet& states, const HalfAgreement& agreement);

/// {"run", "agreement", "tolerance", "states": [own, other], "kept", "matches": [{"states": [own, other],
/// "rmsd", "population_difference", "error"}]}; states are 1-based, own ones as they were before any was left
/// out.
nlohmann::json half_agreement_json(const HalfAgreement& agreement, const std::filesystem::path& run);

}  // namespace cryoscape::landscape
