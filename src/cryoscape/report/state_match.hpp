#pragma once
#include <optional>
#include <span>
#include <vector>

namespace cryoscape::report {

/// A state of the truth: the share of its particles, and the mean of their true structures.
struct TrueState {
  int id = 0;
  double population = 0;
  std::vector<float> model;  ///< (N, 3) Å
};

/// A state that a run found.
struct FoundState {
  int id = 0;
  double population = 0;
  std::optional<double> population_error;
  std::vector<float> model;  ///< (N, 3) Å; empty where no truth is at hand
  int nearest = 0;           ///< id of the true state it belongs to, once matched
  double rmsd = 0;           ///< Å to that state, once matched
};

/// What became of a true state.
struct StateScore {
  int id = 0;
  double true_population = 0;
  double population = 0;  ///< of its best found state; 0 where no found state belongs to it
  int found = 0;          ///< id of that found state, 0 for none
  std::optional<double>
      rmsd;  ///< Å from its best found state, or from the nearest of all where none belongs to it
};

/// A found state belongs to the true state whose model is nearest (RMSD after superposition). Of several that
/// belong to one true state the nearest is its best: that one's population is the true state's estimate. The
/// others are extra; their particles are missing from the estimate and so count as error. A true state to
/// which no found state belongs has the estimate 0. Fills `nearest` and `rmsd` of the found states. Returns
/// one score per true state, in their order.
std::vector<StateScore> match_states(std::span<const TrueState> truth, std::span<FoundState> found);

/// Largest absolute error of a population over the true states, percentage points; nothing without states.
std::optional<double> population_error(std::span<const StateScore> scores);

}  // namespace cryoscape::report
