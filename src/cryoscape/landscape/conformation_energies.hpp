#pragma once
#include <optional>

#include "cryoscape/landscape/conformations.hpp"
#include "cryoscape/landscape/population_sample.hpp"
#include "cryoscape/landscape/prior_landscape.hpp"

/// What the landscape of a density says of particles.
namespace cryoscape::landscape {

/// Counts the particles (k, M) in every minimum's basin and, of a density that was fitted to them, takes the
/// minima's populations and their errors from basin_populations, which are returned. Only of real latents.
std::optional<BasinPopulations> count_basins(PriorLandscape& found, const Points& particles,
                                             const std::optional<PopulationSample>& population,
                                             std::uint64_t seed);

/// Writes conformation_energy.npy (particles, 1), U of every particle's conformation in kT above the lowest
/// minimum, NaN where unusable; removes it where there is no energy of conformations.
void write_conformation_energies(const training::Run& run, const PriorLandscape& found,
                                 const Conformations& conformations);

}  // namespace cryoscape::landscape
