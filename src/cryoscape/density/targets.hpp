#pragma once
#include <string>
#include <vector>

#include "cryoscape/density/run_conformations.hpp"

namespace cryoscape::density {

/// A conformation that a map is made of.
struct Target {
  std::string name;           ///< "state_01", "model_003"
  int id = 0;                 ///< the state's or model's number, from 1
  std::vector<float> model;   ///< (3N) Å from the map's centre, in the frame of the poses
  std::vector<float> latent;  ///< (d) of the run that it was found in: its own, or see nearest_latent
};

/// What `at` names: "states", those of the run's states.json; an .npy file (M, d), its latents decoded; or a
/// model file with the run's beads, as `landscape` and `decode` write. Models stand as their file has them
/// superposed on; each is moved as a body onto the mean of the particles' conformations nearest to it, as the
/// decoder places them. Throws Error for a missing or unfit file, or a run without states.
std::vector<Target> find_targets(const RunConformations& conformations, const std::string& at);

/// Mean (d) of the latents of the particles whose conformations, as they stand, are nearest to a model (3N).
std::vector<float> nearest_latent(const RunConformations& conformations, std::span<const float> model);

}  // namespace cryoscape::density
