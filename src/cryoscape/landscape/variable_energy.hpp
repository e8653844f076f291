#pragma once
#include <nlohmann/json.hpp>
#include <vector>

#include "cryoscape/landscape/conformations.hpp"
#include "cryoscape/landscape/options.hpp"
#include "cryoscape/landscape/structure_space.hpp"

namespace cryoscape::landscape {

/// Free energies along the collective variables that the options name: exact likelihoods of the particles at
/// conformations along each, the population fitted to them, states and barriers with bootstrap errors; and
/// beside it, for what they miss, the histogram of posterior means and the fit to one Gaussian per particle.
/// Returns "free_energy" of landscape.json, and writes the table along the first `path:` into the run's
/// likelihood/ (inference::PathTable). Throws Error for variables that cannot be parsed, a likelihood that is
/// not in nats, and Interrupted.
nlohmann::json variable_energies(training::Run& run, const Conformations& conformations,
                                 const StructureSpace& space, const LandscapeOptions& options,
                                 std::uint64_t seed);

}  // namespace cryoscape::landscape
