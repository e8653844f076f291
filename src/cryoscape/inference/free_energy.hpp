#pragma once
#include <cstdint>
#include <vector>

#include "cryoscape/inference/estimate.hpp"
#include "cryoscape/inference/population.hpp"

namespace cryoscape::inference {

/// A state: a basin of the free energy that most resamples of the particles have, and the plainest fit that
/// the particles support.
struct PopulationState {
  Estimate population;           ///< ∫ p over the basin
  double minimum = 0;            ///< F at its minimum, kT
  std::vector<double> position;  ///< of the minimum, one number per variable
  double presence = 0;           ///< share of the resamples that have it
};

/// The lowest way between two states that touch.
struct PopulationBarrier {
  std::size_t from = 0, to = 0;  ///< states, from the one with the deeper minimum
  Estimate energy;               ///< of its top above the minimum of `from`, kT
  std::vector<double> position;  ///< of the top
};

/// The free energy of a population along one or two variables.
struct FreeEnergy {
  PopulationGrid grid;
  PopulationFit fit;
  std::vector<double> energy;                   ///< (K) F = −ln p, 0 at its minimum, kT
  std::vector<double> energy_error;             ///< (K) its standard error
  std::vector<double> energy_low, energy_high;  ///< (K) 95 % intervals
  std::vector<PopulationState> states;          ///< in the order of their positions; empty where continuous
  std::vector<PopulationBarrier> barriers;
  std::vector<std::uint32_t> state_of;  ///< (K) state of each grid point; empty where continuous
  bool continuous = false;  ///< a single basin in which F stays within 1 kT over most of the range
};

struct FreeEnergyOptions {
  PopulationOptions population;
  std::size_t resamples = 100;
  std::uint64_t seed = 1;
  /// kT by which the way out of a state must rise: below it molecules pass as if there were no barrier, and
  /// what noise makes of a flat or Gaussian density stays below it.
  double least_depth = 1;
};

/// Fits the population, bootstraps it over groups of particles, and keeps the states that more than half of
/// the resamples and PopulationBootstrap::plain have. A basin that is not kept belongs to its neighbour over
/// the lower barrier.
FreeEnergy bootstrap(const PopulationTable& table, const FreeEnergyOptions& options = {});

/// Root mean square of F − F_true, both of normalised densities on one grid, over the points at which the
/// true density exceeds 1 % of its maximum, kT.
double free_energy_rms(const std::vector<double>& density, const std::vector<double>& truth);

}  // namespace cryoscape::inference
