#pragma once
#include "cryoscape/latent/posterior.hpp"

namespace cryoscape::latent {

/// ln Σ_j q(z|x_j) (n) over the particles of a batch, of latents (n, d) with hard bits, detached: the density
/// of one draw from each, where batches serve as proposals. Of posteriors whose bits are independent.
torch::Tensor summed_log_density(const Posterior& posterior, const torch::Tensor& z);

}  // namespace cryoscape::latent
