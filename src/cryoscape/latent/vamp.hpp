#pragma once
#include "cryoscape/latent/priors.hpp"

namespace cryoscape::latent {

/// The mixture of learned posteriors, Σ_k π_k N(z; μ_k, diag σ_k²) (VampPrior: Tomczak & Welling 2018), its
/// components held in latent space: pseudo-images mean nothing at the noise of cryo-EM. A standard normal
/// until after_warm_up.
class VampPrior : public MixturePrior {
 public:
  explicit VampPrior(const PriorOptions& options)
      : MixturePrior(options.dim, options.pseudo_inputs, Covariance::kDiagonal) {}
};

}  // namespace cryoscape::latent
