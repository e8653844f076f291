#pragma once
#include <nlohmann/json.hpp>
#include <span>

#include "cryoscape/landscape/collective_variable.hpp"
#include "cryoscape/landscape/conformations.hpp"
#include "cryoscape/landscape/options.hpp"

namespace cryoscape::landscape {

/// The free energy of the particles along one variable, without the noise of single images and without the
/// prior: their exact likelihoods at conformations along it (`conformations_along`), and the population
/// fitted to these with bootstrap errors (inference::bootstrap). Returns an entry of landscape.json's
/// free_energy; beside F and its states, the histogram of the particles' posterior means and F with one
/// Gaussian per particle; with options.half_run that run's decoder counts in the errors. The table of a
/// `path:` is written into the run's likelihood/. Throws Interrupted.
nlohmann::json exact_free_energy(training::Run& run, const CollectiveVariable& variable,
                                 const Conformations& conformations, std::span<const double> of_particles,
                                 const LandscapeOptions& options, std::uint64_t seed);

}  // namespace cryoscape::landscape
