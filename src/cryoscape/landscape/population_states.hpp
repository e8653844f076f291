#pragma once
#include "cryoscape/landscape/population_sample.hpp"
#include "cryoscape/landscape/states.hpp"

namespace cryoscape::landscape {

/// The states of a refitted density, in which the noise of single particles is taken out: found in its draws
/// (separate_states), with populations that are its integrals over the states' basins and errors from
/// resamples of the particles. A state stays only if more than half of the resamples have it, that is, a dip
/// of `options.barrier` still parts it from every more populous one; else it is joined to the one that it is
/// most often part of. States asked for by number stay all. `particles` (k, M), the points of posterior
/// means, are assigned to the states.
StateSet population_states(const PopulationSample& sample, const Points& particles,
                           const LandscapeOptions& options, std::uint64_t seed);

/// How often, of resamples with those populations (resamples, states), each state is joined to each more
/// populous one: (states, states), lower triangle.
Eigen::MatrixXd joined_counts(const StateSet& set, const std::vector<std::vector<double>>& resamples,
                              double barrier);

}  // namespace cryoscape::landscape
