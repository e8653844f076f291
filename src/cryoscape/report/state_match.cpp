#include "cryoscape/report/state_match.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/geometry/superposition.hpp"

namespace cryoscape::report {

std::vector<StateScore> match_states(std::span<const TrueState> truth, std::span<FoundState> found) {
  std::vector<StateScore> scores;
  for (const auto& state : truth) scores.push_back({state.id, state.population, 0, 0, std::nullopt});
  std::vector<double> nearest_of_all(truth.size(), INFINITY);
  for (auto& state : found) {
    std::size_t own = truth.size();
    for (std::size_t t = 0; t < truth.size(); ++t) {
      const double distance = geometry::superposed_rmsd(state.model, truth[t].model);
      nearest_of_all[t] = std::min(nearest_of_all[t], distance);
      if (own == truth.size() || distance < state.rmsd)
        own = t, state.rmsd = distance, state.nearest = truth[t].id;
    }
    if (own == truth.size()) continue;
    auto& score = scores[own];
    if (score.found == 0 || state.rmsd < *score.rmsd)
      score.found = state.id, score.population = state.population, score.rmsd = state.rmsd;
  }
  for (std::size_t t = 0; t < truth.size(); ++t)
    if (!scores[t].rmsd && std::isfinite(nearest_of_all[t])) scores[t].rmsd = nearest_of_all[t];
  return scores;
}

std::optional<double> population_error(std::span<const StateScore> scores) {
  std::optional<double> worst;
  for (const auto& score : scores)
    worst = std::max(worst.value_or(0), 100 * std::abs(score.population - score.true_population));
  return worst;
}

}  // namespace cryoscape::report
