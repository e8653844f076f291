#pragma once
#include <optional>
#include <span>
#include <vector>

#include "cryoscape/inference/free_energy.hpp"
#include "cryoscape/landscape/states.hpp"

namespace cryoscape::landscape {

/// Basins of a free energy by exact likelihoods, and which of them states and particles lie in, 0-based.
struct LikelihoodBasins {
  std::vector<inference::Estimate> population;
  std::vector<std::size_t> of_state;  ///< of each state's model
  std::vector<std::size_t> of_point;  ///< of each particle's posterior mean
};

/// The basins of a free energy along one variable, given its values in the states' models and in the
/// particles' conformations. Nothing where it has fewer than two basins.
std::optional<LikelihoodBasins> likelihood_basins(const inference::FreeEnergy& found,
                                                  std::span<const double> of_states,
                                                  std::span<const double> of_points);

/// Says of a single state whether it is a continuum by the free energy, in which the noise of single images
/// has no part: posterior means of one Gaussian state need not be Gaussian. Several states stay as they are.
void take_continuity(StateSet& set, const inference::FreeEnergy& found);

/// Gives states the populations of the basins that they lie in, which hold no noise of single images as
/// counts of posterior means do. Several states of one basin share its population as they did before. With
/// `add`, a basin without a state becomes one, of the particles (points (d, M)) whose posterior means lie in
/// it; it takes at least 20. False, and nothing changed, where a basin is left without a state.
bool take_populations(StateSet& set, const Points& points, const LikelihoodBasins& basins, bool add);

}  // namespace cryoscape::landscape
