#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "cryoscape/report/state_match.hpp"
#include "cryoscape/simulation/scene.hpp"

namespace cryoscape::report {

/// Median; nothing for no values.
std::optional<double> median(std::vector<double> values);
/// Arithmetic mean; nothing for no values.
std::optional<double> mean(std::span<const double> values);

/// Mean (N, 3) of the true structures at the given model numbers (at least one), each superposed on the mean:
/// the single structure with the least mean squared deviation from all of them (generalised Procrustes
/// analysis, Gower, Psychometrika 40, 33, 1975). Does not depend on the number of threads.
std::vector<float> mean_structure(const simulation::Scene& scene, std::span<const double> models);

/// RMSD of each true structure from one structure (N, 3) after superposition, Å.
std::vector<double> distances_from(const simulation::Scene& scene, std::span<const double> models,
                                   std::span<const float> structure);

/// The states that occur (ids above 0, ascending), each with the mean true structure of its particles;
/// populations are shares of the rows given.
std::vector<TrueState> true_states(const simulation::Scene& scene, std::span<const double> models,
                                   std::span<const int> states);

/// RMSD of each particle's true structure from the model of its true state; particles without a state are
/// left out.
std::vector<double> distances_from_states(const simulation::Scene& scene, std::span<const double> models,
                                          std::span<const int> states, std::span<const TrueState> truth);

/// Decoded structures of particles begin … end − 1, (end − begin, N, 3).
using Decode = std::function<std::vector<float>(std::size_t begin, std::size_t end)>;

/// What is wrong with decoded structures, particle by particle.
struct StructureErrors {
  std::vector<double> rmsd;      ///< Å from the true structure, after superposition
  std::vector<double> position;  ///< ŝ: nearest point of the true smooth path; empty for a single model
};

/// Compares decoded with true structures at the given model numbers, in batches, in parallel over particles.
StructureErrors compare_structures(const simulation::Scene& scene, std::span<const double> models,
                                   const Decode& decode);

/// Median |ŝ − s|; nothing without positions.
std::optional<double> path_error(const simulation::Scene& scene, std::span<const double> models,
                                 std::span<const double> positions);

/// Pearson correlation of ŝ and s within each true state, averaged with the number of particles as weight.
/// All particles are one state where there are no states. States whose particles all lie at one s, or with
/// fewer than three particles, do not count; a constant ŝ counts as 0. Nothing where no state is left.
std::optional<double> correlation_within_states(std::span<const double> truth,
                                                std::span<const double> estimate,
                                                std::span<const int> states);

}  // namespace cryoscape::report
