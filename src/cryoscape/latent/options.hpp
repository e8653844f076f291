#pragma once
#include <string>

#include "cryoscape/latent/smoothing.hpp"
#include "cryoscape/util/options.hpp"

namespace cryoscape::latent {

/// Which prior and how large; every field but `dim` is an option.
struct PriorOptions {
  std::string kind = "gaussian";
  int dim = 8;             ///< of continuous latents; set by the model
  int components = 12;     ///< mixture, and the mixture that samples of energies are drawn by
  int pseudo_inputs = 32;  ///< vamp
  std::string ebm_training = "importance";  ///< ebm
  int langevin_steps = 60;                  ///< of every short run of the ebm
  int noise_levels = 10;                    ///< diffusion-ebm
  int hidden = 8;                 ///< gbrbm, rbm-hidden: hidden bits; dbm: of each of its two layers
  int bits = 32;                  ///< latent bits
  int chains = 1024;              ///< persistent chains
  int sweeps = 25;                ///< Gibbs sweeps per update
  double transverse_field = 0.1;  ///< qbm: Γ; every free bit loses ln cosh Γ to the bound
  std::string sampler = "gibbs";  ///< of negative phases: persistent chains, or an Ising sampler
  Smoothing smoothing;            ///< of bits

  void declare(OptionSet& set);
};

}  // namespace cryoscape::latent
