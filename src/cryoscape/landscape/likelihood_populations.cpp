#include "cryoscape/landscape/likelihood_populations.hpp"

#include <algorithm>
#include <cmath>

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kFewestMembers = 20;

/// A state of the points in a basin, with the shape of the state that most of them were given to.
State state_of_basin(const StateSet& set, const Points& points, const std::vector<std::size_t>& members) {
  std::vector<std::size_t> given(set.states.size(), 0);
  State out;
  out.peak = Eigen::VectorXd::Zero(points.rows());
  for (const auto i : members) {
    ++given[static_cast<std::size_t>(set.assignment[i] - 1)];
    out.peak += points.col(static_cast<Eigen::Index>(i)) / static_cast<double>(members.size());
  }
  const auto most = static_cast<std::size_t>(std::max_element(given.begin(), given.end()) - given.begin());
  out.precision = set.states[most].precision;
  return out;
}

/// Makes basins without a state states. False where one has too few points.
bool add_missing(StateSet& set, const Points& points, LikelihoodBasins& basins) {
  for (std::size_t b = 0; b < basins.population.size(); ++b) {
    if (std::count(basins.of_state.begin(), basins.of_state.end(), b) > 0) continue;
    std::vector<std::size_t> members;
    for (std::size_t i = 0; i < basins.of_point.size(); ++i)
      if (basins.of_point[i] == b) members.push_back(i);
    if (members.size() < kFewestMembers) return false;
    set.states.push_back(state_of_basin(set, points, members));
    set.states.back().population = basins.population[b].value;
    basins.of_state.push_back(b);
    for (const auto i : members) set.assignment[i] = static_cast<int>(set.states.size());
  }
  return true;
}

void set_populations(StateSet& set, const LikelihoodBasins& basins) {
  std::vector<double> sum(basins.population.size(), 0.0);
  for (std::size_t s = 0; s < set.states.size(); ++s) sum[basins.of_state[s]] += set.states[s].population;
  for (std::size_t s = 0; s < set.states.size(); ++s) {
    auto& state = set.states[s];
    const auto& basin = basins.population[basins.of_state[s]];
    const double share = state.population / sum[basins.of_state[s]];
    // Of a state that is all of its basin no error is left but the basin's.
    const double within = share < 1 ? basin.value * state.population_error / sum[basins.of_state[s]] : 0;
    state.population = share * basin.value;
    state.population_error = std::hypot(share * basin.error, within);
  }
}

/// Energies by populations. Errors of two states' populations add up in the logarithm of their ratio: what
/// one has too much the other has too little.
void set_energies(StateSet& set) {
  const auto& first = set.states.front();
  for (auto& state : set.states) {
    const bool least = &state == &first;
    state.energy = least ? 0 : -std::log(state.population / first.population);
    state.energy_error =
        least ? 0 : state.population_error / state.population + first.population_error / first.population;
  }
}

}  // namespace

std::optional<LikelihoodBasins> likelihood_basins(const inference::FreeEnergy& found,
                                                  std::span<const double> of_states,
                                                  std::span<const double> of_points) {
  if (found.states.size() < 2) return std::nullopt;
  LikelihoodBasins out;
  const auto& axis = found.grid.axes.front();
  for (const auto& state : found.states) out.population.push_back(state.population);
  for (const double v : of_states) out.of_state.push_back(found.state_of[axis.nearest(v)]);
  for (const double v : of_points) out.of_point.push_back(found.state_of[axis.nearest(v)]);
  return out;
}

void take_continuity(StateSet& set, const inference::FreeEnergy& found) {
  if (set.states.size() == 1) set.continuous = found.continuous;
}

bool take_populations(StateSet& set, const Points& points, const LikelihoodBasins& basins, bool add) {
  auto changed = set;
  auto own = basins;
  if (add && !add_missing(changed, points, own)) return false;
  for (std::size_t b = 0; b < own.population.size(); ++b)
    if (std::count(own.of_state.begin(), own.of_state.end(), b) == 0) return false;
  set_populations(changed, own);
  std::vector<double> populations;
  for (const auto& state : changed.states) populations.push_back(state.population);
  reorder(changed, descending(populations));
  set_energies(changed);
  count_members(changed);
  changed.continuous = false;
  set = std::move(changed);
  return true;
}

}  // namespace cryoscape::landscape
