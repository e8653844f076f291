#include "cryoscape/latent/smoothing.hpp"

#include <cmath>
#include <numbers>

#include "cryoscape/util/error.hpp"

namespace cryoscape::latent {
namespace {

constexpr double kTiny = 1e-30;      ///< keeps quotients finite in single precision
constexpr double kNoiseEdge = 1e-7;  ///< of noise whose quantiles run to infinity

struct Kind {
  const char* name;
  double beta;  ///< that suits it
};

constexpr Kind kKinds[]{{"overlapping-exp", 8},    {"spike-exp", 3}, {"power", 30},
                        {"gaussian-integral", 10}, {"concrete", 2},  {"straight-through", 1}};

/// ζ with the gradient slope · ∂q.
torch::Tensor with_slope(const torch::Tensor& zeta, const torch::Tensor& slope, const torch::Tensor& q) {
  return zeta + slope * (q - q.detach());
}

/// A draw of the bits, and what is left of the noise: uniform again, given the bit.
struct Split {
  torch::Tensor bit, noise;
};

Split split(const torch::Tensor& q, const torch::Tensor& rho) {
  const auto bit = rho > 1 - q;
  const auto of_one = (rho - (1 - q)) / q.clamp_min(kTiny), of_zero = rho / (1 - q).clamp_min(kTiny);
  return {bit, torch::where(bit, of_one, of_zero).clamp(0, 1)};
}

torch::Tensor normal_cdf(const torch::Tensor& x) { return 0.5 * torch::erfc(-x / std::numbers::sqrt2); }

torch::Tensor normal_density(const torch::Tensor& x) {
  return torch::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi);
}

torch::Tensor concrete(const torch::Tensor& logits, const torch::Tensor& rho, double beta) {
  return torch::sigmoid(beta * (logits + torch::logit(rho, kNoiseEdge)));
}

torch::Tensor straight_through(const torch::Tensor& q, const torch::Tensor& rho) {
  return with_slope((rho > 1 - q).to(q.dtype()), torch::ones({}, q.options().requires_grad(false)), q);
}

}  // namespace

double Smoothing::sharpness() const {
  if (beta) return *beta;
  for (const auto& k : kKinds)
    if (kind == k.name) return k.beta;
  fail("--smoothing is '{}', which does not exist", kind);
}

std::vector<std::string> smoothing_kinds() {
  std::vector<std::string> names;
  for (const auto& k : kKinds) names.emplace_back(k.name);
  return names;
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
    const auto root = torch::sqrt((b * b - 4 * a * c).clamp_min(kTiny));
    const auto m = torch::where(b > 0, -2 * c / (b + root), (root - b) / (2 * a.clamp_min(1e-12)));
    zeta = (-torch::log(m.clamp(t, 1.0)) / beta).clamp(0.0, 1.0);
    const auto falling = torch::exp(-beta * zeta), rising = torch::exp(beta * (zeta - 1));
    slope = (1 + t - falling - rising) / (beta * (q * rising + (1 - q) * falling));
  }
  return with_slope(zeta, slope, q);
}

torch::Tensor spike_exponential(const torch::Tensor& q, const torch::Tensor& rho, double beta) {
  torch::Tensor zeta, slope;
  {
    torch::NoGradGuard no_grad;
    const double t = std::exp(-beta);
    const auto [bit, noise] = split(q, rho);
    const auto u = torch::where(bit, noise, torch::zeros_like(noise));  // R₁(ζ)
    const auto rise = u + t * (1 - u);                                  // e^{β(ζ−1)}
    zeta = torch::where(bit, 1 + torch::log(rise.clamp_min(kTiny)) / beta, torch::zeros_like(u)).clamp(0, 1);
    slope = torch::where(bit, (1 - u) * (1 - t) / (beta * rise * q).clamp_min(kTiny), torch::zeros_like(u));
  }
  return with_slope(zeta, slope, q);
}

torch::Tensor power_smoothing(const torch::Tensor& q, const torch::Tensor& rho, double beta) {
  torch::Tensor zeta, slope;
  {
    torch::NoGradGuard no_grad;
    const double lambda = 1 / beta;
    const auto [bit, noise] = split(q, rho);
    const auto near = torch::pow(noise, beta);
    zeta = torch::where(bit, 1 - near, near).clamp(kPowerEdge, 1 - kPowerEdge);
    const auto below = torch::pow(zeta, lambda), above = torch::pow(1 - zeta, lambda);  // R₀ and 1 − R₁
    const auto density = lambda * ((1 - q) * below / zeta + q * above / (1 - zeta));
    const auto inside = torch::logical_and(zeta > kPowerEdge, zeta < 1 - kPowerEdge);
    slope = torch::where(inside, (below + above - 1) / density, torch::zeros_like(zeta));
  }
  return with_slope(zeta, slope, q);
}

torch::Tensor gaussian_smoothing(const torch::Tensor& q, const torch::Tensor& rho, const torch::Tensor& delta,
                                 const torch::Tensor& sigma) {
  torch::Tensor zeta, slope;
  {
    torch::NoGradGuard no_grad;
    const auto [bit, noise] = split(q, rho);
    const auto quantile =
        std::numbers::sqrt2 * torch::erfinv((2 * noise - 1).clamp(-1 + kNoiseEdge, 1 - kNoiseEdge));
    zeta = bit.to(q.dtype()) + delta + sigma * quantile;
    const auto from_zero = (zeta - delta) / sigma, from_one = from_zero - 1 / sigma;
    const auto density = ((1 - q) * normal_density(from_zero) + q * normal_density(from_one)) / sigma;
    slope = (normal_cdf(from_zero) - normal_cdf(from_one)) / density.clamp_min(kTiny);
  }
  return with_slope(zeta, slope, q);
}

torch::Tensor smooth_bits(const Smoothing& smoothing, const torch::Tensor& logits, const torch::Tensor& rho) {
  const double beta = smoothing.sharpness();
  if (smoothing.kind == "concrete") return concrete(logits, rho, beta);
  const auto q = torch::sigmoid(logits);
  if (smoothing.kind == "overlapping-exp") return overlapping_exponential(q, rho, beta);
  if (smoothing.kind == "spike-exp") return spike_exponential(q, rho, beta);
  if (smoothing.kind == "power") return power_smoothing(q, rho, beta);
  if (smoothing.kind == "straight-through") return straight_through(q, rho);
  const auto number = [&](double x) { return torch::full({}, x, q.options().requires_grad(false)); };
  return gaussian_smoothing(q, rho, number(0), number(1 / std::sqrt(beta)));
}

bool tells_bits(const Smoothing& smoothing) {
  return smoothing.kind == "overlapping-exp" || smoothing.kind == "power";
}

torch::Tensor believed_bits(const Smoothing& smoothing, const torch::Tensor& logits,
                            const torch::Tensor& zeta) {
  if (!tells_bits(smoothing)) fail("bits smoothed by {} cannot be told from ζ", smoothing.kind);
  const double beta = smoothing.sharpness();
  if (smoothing.kind == "power")  // r₁/r₀ = (ζ/(1 − ζ))^{1 − λ}
    return torch::sigmoid(logits + (1 - 1 / beta) * torch::logit(zeta));
  return torch::sigmoid(logits + beta * (2 * zeta - 1));
}

}  // namespace cryoscape::latent
