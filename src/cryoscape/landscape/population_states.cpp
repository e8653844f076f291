#include "cryoscape/landscape/population_states.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cryoscape/inference/estimate.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::landscape {
namespace {

/// The mixture with the populations of its states as in a resample.
Mixture reweighted(const StateSet& set, const std::vector<double>& populations) {
  std::vector<double> fitted(set.states.size(), 0.0);
  for (std::size_t k = 0; k < set.mixture.size(); ++k) fitted[set.state_of[k]] += set.mixture[k].weight;
  auto out = set.mixture;
  for (std::size_t k = 0; k < out.size(); ++k) {
    const auto s = set.state_of[k];
    out[k].weight *= std::max(populations[s], kLeastPopulation) / fitted[s];
  }
  return out;
}

/// Joins state s to a more populous one and forgets its passes.
void join(StateSet& set, std::size_t s, std::size_t into) {
  set.states.erase(set.states.begin() + static_cast<std::ptrdiff_t>(s));
  for (auto& k : set.state_of) k = k == s ? into : k - (k > s);
  std::erase_if(set.barriers, [&](const Barrier& b) { return b.a == s || b.b == s; });
  for (auto& b : set.barriers) b.a -= b.a > s, b.b -= b.b > s;
}

/// States of less than half of the resamples are part of others.
void drop_unsure(StateSet& set, const Eigen::MatrixXd& joined, double resamples) {
  for (auto s = set.states.size(); s-- > 1;) {
    Eigen::Index into = 0;
    const auto row = joined.row(static_cast<Eigen::Index>(s)).head(static_cast<Eigen::Index>(s));
    row.maxCoeff(&into);
    if (row.sum() > 0.5 * resamples) join(set, s, static_cast<std::size_t>(into));
  }
}

/// Numbers the states anew, largest population first.
void sort_states(StateSet& set, BasinPopulations& found) {
  const auto order = descending(found.population);
  const auto permuted = [&](const auto& values) {
    auto out = values;
    for (std::size_t s = 0; s < order.size(); ++s) out[s] = values[order[s]];
    return out;
  };
  reorder(set, order);
  found.population = permuted(found.population), found.error = permuted(found.error);
  for (auto& r : found.resamples) r = permuted(r);
}

void fill_populations(StateSet& set, const BasinPopulations& found, double error_factor) {
  const auto safe = [](double p) { return std::max(p, kLeastPopulation); };
  for (std::size_t s = 0; s < set.states.size(); ++s) {
    auto& state = set.states[s];
    state.population = found.population[s];
    state.population_error = found.error[s];
    state.energy = s == 0 ? 0.0 : -std::log(safe(found.population[s]) / safe(found.population[0]));
    std::vector<double> energies;
    for (const auto& r : found.resamples) energies.push_back(-std::log(safe(r[s]) / safe(r[0])));
    state.energy_error = error_factor * inference::estimate(state.energy, energies).error;
  }
}

}  // namespace

Eigen::MatrixXd joined_counts(const StateSet& set, const std::vector<std::vector<double>>& resamples,
                              double barrier) {
  const auto n = set.states.size();
  std::vector<std::vector<std::size_t>> into(resamples.size(), std::vector<std::size_t>(n));
  parallel_for(resamples.size(), [&](std::size_t r) {
    std::iota(into[r].begin(), into[r].end(), std::size_t{0});
    for (const auto& group : group_components(reweighted(set, resamples[r]), barrier).groups) {
      auto first = n;
      for (const auto k : group.components) first = std::min(first, set.state_of[k]);
      for (const auto k : group.components)
        into[r][set.state_of[k]] = std::min(into[r][set.state_of[k]], first);
    }
  });
  Eigen::MatrixXd out = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(n));
  for (const auto& of_states : into)
    for (std::size_t s = 0; s < n; ++s)
      if (of_states[s] != s) out(static_cast<Eigen::Index>(s), static_cast<Eigen::Index>(of_states[s])) += 1;
  return out;
}

StateSet population_states(const PopulationSample& sample, const Points& particles,
                           const LandscapeOptions& options, std::uint64_t seed) {
  auto set = separate_states(sample.draws, options, seed);
  const auto populations = [&] {
    return basin_populations(
        sample, set.states.size(),
        [&](const Points& places) {
          auto basins = assign_states(set, places);
          for (auto& b : basins) --b;
          return basins;
        },
        seed);
  };
  auto found = populations();
  if (options.states == 0 && set.states.size() > 1) {
    const auto before = set.states.size();
    drop_unsure(set, joined_counts(set, found.resamples, options.barrier),
                static_cast<double>(found.resamples.size()));
    if (set.states.size() < before) found = populations();
    set.continuous = set.states.size() == 1;
  }
  set.assignment.clear();  // of the density's draws
  sort_states(set, found);
  fill_populations(set, found, sample.error_factor);
  set.assignment = assign_states(set, particles);
  count_members(set);
  return set;
}

}  // namespace cryoscape::landscape
