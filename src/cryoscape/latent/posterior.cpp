#include "cryoscape/latent/posterior.hpp"

#include <cmath>
#include <numbers>

#include "cryoscape/latent/noise.hpp"

namespace cryoscape::latent {
namespace {

/// The shape of the whole batch whose part has this one.
std::vector<std::int64_t> whole_shape(const torch::Tensor& part_shape, const BatchPart& part) {
  auto sizes = part_shape.sizes().vec();
  if (part.whole >= 0) sizes.at(0) = part.whole;
  return sizes;
}

}  // namespace

torch::Tensor entropy(const Posterior& posterior) {
  if (posterior.family == Family::gaussian)
    return (posterior.log_std + 0.5 * std::log(2 * std::numbers::pi * std::numbers::e)).sum(1);
  const auto& l = posterior.mean;
  return (torch::softplus(l) - torch::sigmoid(l) * l).sum(1);
}

torch::Tensor uniform_like(const torch::Tensor& shape, torch::Generator& generator, const BatchPart& part) {
  return uniform(whole_shape(shape, part), generator, shape.options().requires_grad(false))
      .narrow(0, part.first, shape.size(0));
}

torch::Tensor normal_like(const torch::Tensor& shape, torch::Generator& generator, const BatchPart& part) {
  return normal(whole_shape(shape, part), generator, shape.options().requires_grad(false))
      .narrow(0, part.first, shape.size(0));
}

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

}  // namespace cryoscape::latent
