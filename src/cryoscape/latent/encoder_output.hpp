#pragma once
#include "cryoscape/latent/posterior.hpp"

namespace cryoscape::latent {

/// The posterior that an encoder's outputs (B, 2 dim − bits) stand for: logits of bits and means of real
/// latents, then what the real latents' log standard deviations are squashed from.
Posterior posterior_of(const torch::Tensor& outputs, std::int64_t bits, std::int64_t dim);

}  // namespace cryoscape::latent
