#pragma once
#include <string>
#include <vector>

#include "cryoscape/density/run_conformations.hpp"

namespace cryoscape::density {

/// A conformation that a map is made of.
struct Target {
  std::string name;          ///< "state_01", "model_003"
  std::vector<float> model;  ///< (3N) Å from the map's centre, in the frame of the poses
};

/// What `at` names: "states", those of the run's states.json; an .npy file (M, d), its latents decoded; or a
/// model file with the run's beads, as `landscape` and `decode` write. Models stand as their file has them
/// superposed on; each is moved as a body onto the mean of the particles' conformations nearest to it, as the
/// decoder places them. Throws Error for a missing or unfit file, or a run without states.
std::vector<Target> find_targets(const RunConformations& conformations, const std::string& at);

}  // namespace cryoscape::density
