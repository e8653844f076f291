#include "cryoscape/latent/smoothing.hpp"

#include <cmath>

namespace cryoscape::latent {

torch::Tensor overlapping_exponential(const torch::Tensor& q, const torch::Tensor& rho, double beta) {
  const double t = std::exp(-beta);
  torch::Tensor zeta, slope;
  {
    torch::NoGradGuard no_grad;
    const auto a = 1 - q;
    const auto b = rho * (1 - t) - (1 - q) + q * t;
    const auto c = -q * t;
    // The root m = e^{−βζ} of A m² + B m + C, in the form that does not cancel for either sign of B.
    const auto root = torch::sqrt((b * b - 4 * a * c).clamp_min(1e-30));
    const auto m = torch::where(b > 0, -2 * c / (b + root), (root - b) / (2 * a.clamp_min(1e-12)));
    zeta = (-torch::log(m.clamp(t, 1.0)) / beta).clamp(0.0, 1.0);
    // ∂ζ/∂q = (R₀ − R₁)/(q r₁ + (1 − q) r₀) from the CDF: finite for every q, where differentiating the root
    // divides 0 by 0 once q falls below the square root of the precision.
    const auto falling = torch::exp(-beta * zeta), rising = torch::exp(beta * (zeta - 1));
    slope = (1 + t - falling - rising) / (beta * (q * rising + (1 - q) * falling));
  }
  return zeta + slope * (q - q.detach());
}

torch::Tensor smooth_bits(const Smoothing& smoothing, const torch::Tensor& logits, const torch::Tensor& rho) {
  return overlapping_exponential(torch::sigmoid(logits), rho, smoothing.beta);
}

}  // namespace cryoscape::latent
