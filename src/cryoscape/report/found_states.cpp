#include "cryoscape/report/found_states.hpp"

#include <cmath>

#include "cryoscape/io/atomic_model.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::report {

std::vector<FoundState> found_states(const RunRecord& record) {
  std::vector<FoundState> out;
  if (!record.states) return out;
  for (const auto& state : record.states->states) {
    if (!std::isfinite(state.population))
      fail("{}: state {} has no population: run cryoscape landscape again",
           (record.folder / "states.json").string(), state.id);
    FoundState found;
    found.id = state.id, found.population = state.population;
    if (std::isfinite(state.population_error)) found.population_error = state.population_error;
    out.push_back(std::move(found));
  }
  return out;
}

void read_state_models(const RunRecord& record, std::size_t beads, std::vector<FoundState>& states) {
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto& name = record.states->states.at(i).model;
    if (name.empty())
      fail("{}: state {} has no model: run cryoscape landscape again",
           (record.folder / "states.json").string(), states[i].id);
    const auto path = record.folder / name;
    states[i].model = io::positions_of(io::read_models(path).front());
    if (states[i].model.size() != 3 * beads)
      fail("{} has {} atoms, but the run has {} beads: run cryoscape landscape again", path.string(),
           states[i].model.size() / 3, beads);
  }
}

std::optional<std::vector<int>> read_assignments(const std::filesystem::path& run, std::size_t particles) {
  const auto path = run / "assignments.npy";
  if (!std::filesystem::exists(path)) return std::nullopt;
  const auto table = io::read_npy_matrix(path);
  if (table.rows != particles || table.columns != 1)
    fail("{} has {} rows of {}, but the run has {} particles: run cryoscape landscape again", path.string(),
         table.rows, table.columns, particles);
  std::vector<int> out;
  for (const float value : table.values) out.push_back(std::isfinite(value) ? static_cast<int>(value) : 0);
  return out;
}

}  // namespace cryoscape::report
