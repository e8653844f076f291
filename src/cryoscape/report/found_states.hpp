#pragma once
#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "cryoscape/report/run_record.hpp"
#include "cryoscape/report/state_match.hpp"

namespace cryoscape::report {

/// The states that a run's states.json records, in its order, without their models. Throws Error for a state
/// without a population.
std::vector<FoundState> found_states(const RunRecord& record);

/// Reads the states' models, which states.json names. Throws Error naming the file when one is missing or has
/// not the given number of beads.
void read_state_models(const RunRecord& record, std::size_t beads, std::vector<FoundState>& states);

/// State of each particle from a run's assignments.npy, 0 for unusable ones; nothing where it does not exist.
/// Throws Error for another number of particles.
std::optional<std::vector<int>> read_assignments(const std::filesystem::path& run, std::size_t particles);

}  // namespace cryoscape::report
