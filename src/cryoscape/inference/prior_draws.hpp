#pragma once
#include "cryoscape/latent/prior.hpp"

namespace cryoscape::inference {

/// Draws (n, d) of a prior, float32 on the CPU; the same for a seed.
torch::Tensor prior_draws(latent::Prior& prior, std::int64_t n, std::uint64_t seed);

}  // namespace cryoscape::inference
