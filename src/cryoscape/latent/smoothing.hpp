#pragma once
#include <torch/torch.h>

#include <string>

namespace cryoscape::latent {

/// How bits are relaxed to numbers in [0, 1] on their way to the decoder.
struct Smoothing {
  std::string kind = "overlapping-exp";
  double beta = 8;  ///< sharpness
};

/// Overlapping-exponential smoothing of DVAE++ (Vahdat et al. 2018): ζ(ρ, q), the inverse CDF of (1 − q) r₀ +
/// q r₁ with r₁(ζ) ∝ e^{β(ζ−1)}, r₀(ζ) = r₁(1 − ζ); differentiable in q.
torch::Tensor overlapping_exponential(const torch::Tensor& q, const torch::Tensor& rho, double beta);

/// Smoothed bits (B, n), differentiable in the logits (B, n), from uniform noise ρ (B, n).
torch::Tensor smooth_bits(const Smoothing& smoothing, const torch::Tensor& logits, const torch::Tensor& rho);

}  // namespace cryoscape::latent
