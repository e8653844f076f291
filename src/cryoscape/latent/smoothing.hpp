#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// How bits are relaxed to numbers on their way to the decoder.
struct Smoothing {
  std::string kind = "overlapping-exp";
  std::optional<double> beta;  ///< sharpness; without one, what suits the kind

  double sharpness() const;
  /// Whether draws have a density (but for the power kind's ends, which have a mass).
  bool has_density() const { return kind == "power" || kind == "gaussian-integral"; }
};

/// All values of --smoothing.
std::vector<std::string> smoothing_kinds();

// Each takes probabilities q and uniform noise ρ, the bit being 1 where ρ > 1 − q, and returns ζ, whose
// gradient in q is the implicit one of its distribution function F, ∂ζ/∂q = −(∂F/∂q)/(∂F/∂ζ): finite also
// where a bit is certain, and right for draws that are not F⁻¹(ρ).

/// Overlapping-exponential smoothing of DVAE++ (Vahdat et al. 2018): ζ(ρ, q), the inverse CDF of (1 − q) r₀ +
/// q r₁ with r₁(ζ) ∝ e^{β(ζ−1)}, r₀(ζ) = r₁(1 − ζ).
torch::Tensor overlapping_exponential(const torch::Tensor& q, const torch::Tensor& rho, double beta);

/// Spike and exponential of the DVAE (Rolfe 2017): ζ = 0 for a bit of 0, else of density r₁(ζ) ∝ e^{βζ}.
torch::Tensor spike_exponential(const torch::Tensor& q, const torch::Tensor& rho, double beta);

/// Ends of the power smoothing: ζ is moved into [kPowerEdge, 1 − kPowerEdge], as nearer to 1 single precision
/// cannot tell values apart.
inline constexpr double kPowerEdge = 1e-6;

/// Power-function smoothing of DVAE# (Vahdat, Andriyash, Macready 2018): r₀(ζ) = λ ζ^{λ−1}, r₁(ζ) = r₀(1 −
/// ζ), λ = 1/β.
torch::Tensor power_smoothing(const torch::Tensor& q, const torch::Tensor& rho, double beta);

/// Bits with normal noise: r_z(ζ) = N(z + δ_i, σ_i²), with δ and σ (n) per unit; ζ may leave [0, 1].
torch::Tensor gaussian_smoothing(const torch::Tensor& q, const torch::Tensor& rho, const torch::Tensor& delta,
                                 const torch::Tensor& sigma);

/// Smoothed bits (B, n), differentiable in the logits (B, n), from uniform noise ρ (B, n), by any kind. The
/// other kinds are the concrete distribution σ(β(logit + logit ρ)) (Maddison et al. 2017) and the
/// straight-through estimator, hard bits with the gradient of q. Normal noise has σ² = 1/β here.
torch::Tensor smooth_bits(const Smoothing& smoothing, const torch::Tensor& logits, const torch::Tensor& rho);

/// Whether the bits behind smoothed ones can be told with differentiable probabilities.
bool tells_bits(const Smoothing& smoothing);
/// Probability (B, n) that a bit is 1 given what it was smoothed to: σ(ℓ + ln r₁(ζ)/r₀(ζ)), ν of DVAE++.
/// Throws Error for a kind that does not tell.
torch::Tensor believed_bits(const Smoothing& smoothing, const torch::Tensor& logits,
                            const torch::Tensor& zeta);

}  // namespace cryoscape::latent
