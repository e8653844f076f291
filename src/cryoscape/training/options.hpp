#pragma once
#include <optional>
#include <string>

#include "cryoscape/util/options.hpp"

namespace cryoscape::training {

/// Which particles are read, how, and against which reference; every field is an option of `train`.
struct InputOptions {
  std::string particles;  ///< positional
  std::string model;
  std::optional<std::string> map, model_origin, dir, subset, cache;
  int half = 0;
  int box = 0;                          ///< pixels; 0: chosen from the images
  double resolution = 0, diameter = 0;  ///< Å; 0: chosen from box and model
  std::string contrast = "auto";
  bool invert = false;
  std::string beads = "residue";

  void declare(OptionSet& set);
};

/// How the model is trained; every field is an option of `train`.
struct TrainingOptions {
  std::string device = "auto";
  int epochs = 0;
  int batch = 64;
  int accumulate = 1;
  int importance_samples = 1;
  double learning_rate = 1e-3;
  double beta = 1;
  double warm_up = 0.2;
  double held_out = 0.05;
  int seed = 0;
  double bond_weight = 0.3, clash_weight = 2, edge_drop = 0.2;
  std::optional<double> edge_weight;  ///< unset: relaxed while the held-out bound allows it
  bool between_chains = false;
  bool energy_in_prior = false;
  std::string prior_init = "random";

  void declare(OptionSet& set);
};

}  // namespace cryoscape::training
