#pragma once
#include <nlohmann/json.hpp>
#include <vector>

#include "cryoscape/landscape/options.hpp"
#include "cryoscape/landscape/states.hpp"
#include "cryoscape/training/run.hpp"

namespace cryoscape::landscape {

/// What write_landscape found.
struct LandscapeSummary {
  std::size_t particles = 0, unusable = 0;   ///< of the run; those without latents
  std::vector<double> component_deviations;  ///< Å
  std::vector<State> states;                 ///< ordered by population
  bool continuous = false;
  nlohmann::json states_json;  ///< as in states.json
};

/// Embeds a run's particles in structure space, finds states, and writes into its folder: states.json,
/// landscape.json, components.npy (particles, k) in Å, assignments.npy (particles, 1) with state ids,
/// embedding.npy, outliers.npy, particles.star, and structures/. Unusable particles are NaN in components,
/// embedding and outliers, and state 0 elsewhere.
/// Output of an earlier landscape is replaced. Throws Error for a run without latents.
LandscapeSummary write_landscape(training::Run& run, const LandscapeOptions& options);

/// The table of states that the command prints.
std::string states_table(const LandscapeSummary& summary);

}  // namespace cryoscape::landscape
