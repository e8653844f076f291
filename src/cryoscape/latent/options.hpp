#pragma once
#include <string>

#include "cryoscape/latent/smoothing.hpp"
#include "cryoscape/util/options.hpp"

namespace cryoscape::latent {

/// Which prior and how large; every field but `dim` is an option.
struct PriorOptions {
  std::string kind = "gaussian";
  int dim = 8;                    ///< of continuous latents; set by the model
  int components = 12;            ///< mixture
  int hidden = 8;                 ///< gbrbm, rbm-hidden: hidden bits; dbm: of each of its two layers
  int bits = 32;                  ///< latent bits
  int chains = 1024;              ///< persistent chains
  int sweeps = 25;                ///< Gibbs sweeps per update
  double transverse_field = 0.5;  ///< qbm: Γ
  std::string sampler = "gibbs";  ///< of negative phases: persistent chains, or an Ising sampler
  Smoothing smoothing;            ///< of bits

  void declare(OptionSet& set);
};

}  // namespace cryoscape::latent
