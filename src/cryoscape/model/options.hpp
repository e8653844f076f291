#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cryoscape/latent/options.hpp"
#include "cryoscape/util/options.hpp"

namespace cryoscape::model {

/// What kind of model is trained; every field is an option of `train`.
struct ModelOptions {
  std::string encoder = "mlp";
  std::string encoder_input = "backprojection";
  std::string encoder_precision = "float32";
  std::string decoder = "residue";
  int latent_dim = 8;
  int posterior_groups = 1;
  std::string likelihood = "gaussian";
  bool no_contrast = false;
  std::string ctf_box = "wide";
  double bead_sigma = 2.0;
  latent::PriorOptions prior;

  void declare(OptionSet& set);
};

}  // namespace cryoscape::model
