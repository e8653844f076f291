#pragma once
#include <cstdint>
#include <vector>

#include "cryoscape/landscape/modes.hpp"
#include "cryoscape/landscape/options.hpp"
#include "cryoscape/landscape/selection.hpp"

namespace cryoscape::landscape {

/// A conformational state.
struct State {
  double population = 0, population_error = 0;
  double energy = 0, energy_error = 0;  ///< kT, −ln(population / largest population)
  std::size_t particles = 0;            ///< assigned to it
  Eigen::VectorXd peak;                 ///< where it is densest (k-means: its centre)
  Eigen::MatrixXd precision;            ///< of the Gaussian that rules there (k-means: unit)
};

/// The pass between states a < b (0-based): how far it lies below the peak of each, kT.
struct Barrier {
  std::size_t a = 0, b = 0;
  double from_a = 0, from_b = 0;
};

/// States ordered by population, largest first.
struct StateSet {
  std::vector<State> states;
  std::vector<int> assignment;  ///< per point: 1-based state
  /// Whether there is one state whose density nevertheless took more than one Gaussian: a continuous motion
  /// without a dip.
  bool continuous = false;
  std::vector<Score> selection;   ///< empty where the number was given
  std::size_t components = 0;     ///< Gaussians fitted; 0 for k-means
  std::vector<Barrier> barriers;  ///< mixtures only
  Mixture mixture;  ///< what points are assigned by: the Gaussians fitted; k-means: equal unit ones
  std::vector<std::size_t> state_of;  ///< its Gaussians' states, 0-based
};

/// Finds the states of points (d, M) without errors. Mixtures: fitted to up to 20,000 of the points;
/// populations are sums of mixture weights. k-means: populations are counts. Throws UsageError for k-means
/// without a number of states, and Error where there are fewer points than states.
StateSet separate_states(const Points& points, const LandscapeOptions& options, std::uint64_t seed);

/// The same with errors. Mixtures: from 100 bootstrap resamples of the points that were fitted, each fitted
/// again from the found solution. k-means: multinomial.
StateSet find_states(const Points& points, const LandscapeOptions& options, std::uint64_t seed);

/// The state (M), 1-based, of largest share at other points (d, M).
std::vector<int> assign_states(const StateSet& set, const Points& points);

/// Indices that put populations in descending order.
std::vector<std::size_t> descending(const std::vector<double>& populations);

/// Numbers states anew: state order[s] becomes state s, for points, Gaussians and barriers too.
void reorder(StateSet& set, const std::vector<std::size_t>& order);

/// Counts the points of each state.
void count_members(StateSet& set);

/// A random subset of [0, count) in ascending order, of at most `most` indices.
std::vector<std::size_t> random_subset(std::size_t count, std::size_t most, std::uint64_t seed);

}  // namespace cryoscape::landscape
