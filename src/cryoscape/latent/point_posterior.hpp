#pragma once
#include "cryoscape/latent/posterior.hpp"

namespace cryoscape::latent {

/// Posterior standard deviation of latents that are known themselves, as a share of their spread.
inline constexpr double kPointWidth = 1e-3;

/// The posterior of latents (B, d) that are known, the first `bits` of them hard bits: all but certain bits,
/// and reals with the standard deviations `width` (d), of which the bits' are not used.
Posterior point_posterior(std::int64_t bits, const torch::Tensor& latents, const torch::Tensor& width);

}  // namespace cryoscape::latent
