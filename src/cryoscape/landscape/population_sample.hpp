#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "cryoscape/inference/refit_bootstrap.hpp"
#include "cryoscape/inference/refitted_prior.hpp"
#include "cryoscape/landscape/cloud.hpp"

namespace cryoscape::landscape {

/// A refitted density in structure space, with what it is known from: draws of it, and draws of the
/// posteriors of its particles under it.
struct PopulationSample {
  Points draws;                       ///< (k, D) of the density, Å
  inference::RefitDraws posteriors;   ///< of at most 20,000 particles
  inference::Expansions likelihoods;  ///< of the same ones; empty for latents with bits
  std::vector<double> energies;       ///< (M) of the posteriors' draws under the density
  Points places;                      ///< (k, M) of the posteriors' draws, Å
  std::vector<std::uint32_t> groups;  ///< what is resampled together, of every particle of the run
  double error_factor = 1;            ///< of errors, as not all particles are in `posteriors`
};

/// Draws 20,000 conformations of the density and a few of every particle's posterior. Throws Error where the
/// run's likelihoods are missing or do not fit it.
PopulationSample sample_population(training::Run& run, const inference::RefittedPrior& density,
                                   const StructureSpace& space, std::uint64_t seed);

/// What a population counts as at least where its logarithm is taken.
inline constexpr double kLeastPopulation = 1e-12;

/// The basin, 0-based, of each of many places (k, M).
using BasinsOfPlaces = std::function<std::vector<int>(const Points& places)>;

/// Populations of basins with bootstrap errors.
struct BasinPopulations {
  std::vector<double> population;              ///< integrals of the density over the basins
  std::vector<double> error;                   ///< standard deviations over resamples
  std::vector<std::vector<double>> resamples;  ///< (100, basins), for errors of what follows from them
};

/// Integrals of the density over basins of structure space. Errors come from 100 resamples of the particles'
/// images, in each of which the populations are fitted again with the density's shape in every basin held
/// (inference::bootstrap_populations).
BasinPopulations basin_populations(const PopulationSample& sample, std::size_t basins,
                                   const BasinsOfPlaces& basins_of, std::uint64_t seed);

}  // namespace cryoscape::landscape
