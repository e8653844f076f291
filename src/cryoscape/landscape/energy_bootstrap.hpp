#pragma once
#include "cryoscape/landscape/population_sample.hpp"
#include "cryoscape/landscape/prior_landscape.hpp"

namespace cryoscape::landscape {

/// Adds bootstrap errors to the landscape of a density of real latents that was fitted to particles.
///
/// A Gaussian mixture is fitted anew in resamples of the particles' images (inference::bootstrap_mixtures),
/// and energies of minima, saddles, paths and tree change with its marginal density over the active
/// directions (resampled_energies). Of other densities the shape within basins is held and only populations
/// are fitted anew, so that only minima have errors: U changes by −ln of what its basin's population is
/// multiplied by. `basins` are the minima's.
void add_energy_errors(PriorLandscape& found, const inference::RefittedPrior& density,
                       const PopulationSample& population, const BasinPopulations& basins,
                       std::uint64_t seed);

}  // namespace cryoscape::landscape
