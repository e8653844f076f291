#pragma once
#include <nlohmann/json.hpp>

#include "cryoscape/landscape/model_files.hpp"
#include "cryoscape/landscape/prior_landscape.hpp"

namespace cryoscape::landscape {

/// Writes structures/paths/path_1_2.cif …, one model per point of each path with its energy (kT) as B factor,
/// and ChimeraX scripts that morph along them. Returns what landscape.json says about a prior's landscape:
/// minima, saddles, paths, tree and active_directions, or energy_notice where there is none.
nlohmann::json write_pathways(training::Run& run, const PriorLandscape& found, ModelFiles& files);

}  // namespace cryoscape::landscape
