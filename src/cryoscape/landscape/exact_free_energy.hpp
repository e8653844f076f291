#pragma once
#include <array>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "cryoscape/inference/free_energy.hpp"
#include "cryoscape/landscape/collective_variable.hpp"
#include "cryoscape/landscape/conformations.hpp"
#include "cryoscape/landscape/options.hpp"

namespace cryoscape::landscape {

/// A free energy and what landscape.json's free_energy says of it.
struct ExactFreeEnergy {
  inference::FreeEnergy found;
  nlohmann::json entry;
};

/// The free energy of the particles along one variable, without the noise of single images and without the
/// prior: their exact likelihoods at conformations along it (`conformations_along`), and the population
/// fitted to these with bootstrap errors (inference::bootstrap). The entry has, beside F and its states, the
/// histogram of the particles' posterior means and F with one Gaussian per particle. With
/// options.half_run that run's decoder counts in the errors. The table of a `path:`
/// is written into the run's likelihood/. Throws Interrupted.
ExactFreeEnergy exact_free_energy(training::Run& run, const CollectiveVariable& variable,
                                  const Conformations& conformations, std::span<const double> of_particles,
                                  const LandscapeOptions& options, std::uint64_t seed);

/// The same over two variables, at conformations on a grid of both (`conformations_over`): F is null at
/// points that no conformation reaches, and barriers that only such points would cross are left out.
/// `of_particles`: one list per variable.
ExactFreeEnergy exact_free_energy(training::Run& run, const std::array<CollectiveVariable, 2>& variables,
                                  const Conformations& conformations,
                                  const std::vector<std::vector<double>>& of_particles,
                                  const LandscapeOptions& options, std::uint64_t seed);

}  // namespace cryoscape::landscape
