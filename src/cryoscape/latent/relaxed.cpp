#include "cryoscape/latent/relaxed.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/latent/smoothing.hpp"

namespace cryoscape::latent {
namespace {

constexpr int kMeanFieldSweeps = 5;

/// ln r₀ of the power smoothing at a distance from 0, with the masses of its ends where ζ is at one.
torch::Tensor log_power(const torch::Tensor& distance, double beta, const torch::Tensor& near_end,
                        const torch::Tensor& far_end) {
  const double lambda = 1 / beta;
  const auto inside = std::log(lambda) + (lambda - 1) * torch::log(distance);
  const auto constant = [&](double x) { return torch::full_like(distance.detach(), x); };
  const auto near_mass = constant(lambda * std::log(kPowerEdge)),
             far_mass = constant(std::log(-std::expm1(lambda * std::log1p(-kPowerEdge))));
  return torch::where(near_end, near_mass, torch::where(far_end, far_mass, inside));
}

/// Updates the means of `count` units from `first` on, given all means.
torch::Tensor mean_field(const torch::Tensor& biases, const torch::Tensor& couplings, const torch::Tensor& mu,
                         std::int64_t first, std::int64_t count) {
  const auto own = torch::sigmoid(biases.narrow(1, first, count) + mu.mm(couplings.narrow(1, first, count)));
  const auto rest = mu.size(1) - first - count;
  return torch::cat({mu.narrow(1, 0, first), own, mu.narrow(1, first + count, rest)}, 1);
}

}  // namespace

BitDensities power_densities(const torch::Tensor& zeta, double beta) {
  const auto low = zeta <= kPowerEdge, high = zeta >= 1 - kPowerEdge;
  return {log_power(zeta, beta, low, high), log_power(1 - zeta, beta, high, low)};
}

BitDensities normal_densities(const torch::Tensor& zeta, const torch::Tensor& delta,
                              const torch::Tensor& sigma) {
  const auto log_normal = [&](double bit) {
    const auto u = (zeta - bit - delta) / sigma;
    return -0.5 * u * u - torch::log(sigma) - 0.5 * std::log(2 * std::numbers::pi);
  };
  return {log_normal(0), log_normal(1)};
}

torch::Tensor log_mixture(const BitDensities& densities, const torch::Tensor& logits) {
  return torch::logaddexp(densities.of_zero + torch::log_sigmoid(-logits),
                          densities.of_one + torch::log_sigmoid(logits))
      .sum(1);
}

torch::Tensor mean_field_log_partition(const torch::Tensor& biases, const torch::Tensor& couplings,
                                       std::int64_t first, int sweeps) {
  const auto n = biases.size(1);
  auto mu = torch::sigmoid(biases);
  for (int s = 0; s < sweeps; ++s) {
    mu = mean_field(biases, couplings, mu, 0, first);
    mu = mean_field(biases, couplings, mu, first, n - first);
  }
  // 0 ln 0 has no derivative.
  const auto p = mu.clamp(1e-7, 1 - 1e-7);
  const auto entropy = -(p * torch::log(p) + (1 - p) * torch::log1p(-p));
  return (mu * (biases + 0.5 * mu.mm(couplings)) + entropy).sum(1);
}

torch::Tensor log_relaxed(const DenseUnits& machine, const BitDensities& densities, std::int64_t first) {
  const auto biases = machine.biases + densities.of_one - densities.of_zero;
  return densities.of_zero.sum(1) +
         mean_field_log_partition(biases, machine.couplings, first, kMeanFieldSweeps);
}

GaussianIntegral gaussian_integral(const torch::Tensor& couplings, double sharpness) {
  torch::NoGradGuard no_grad;
  const double largest = torch::linalg_eigvalsh(couplings).abs().max().item<double>();
  const double lambda = std::max(sharpness, 2 * largest);
  return {couplings + lambda * torch::eye(couplings.size(0), couplings.options()), lambda};
}

torch::Tensor marginal_deviations(const GaussianIntegral& noise) {
  torch::NoGradGuard no_grad;
  return torch::diagonal(torch::cholesky_inverse(torch::linalg_cholesky(noise.precision))).sqrt();
}

torch::Tensor log_relaxed(const DenseUnits& machine, const GaussianIntegral& noise,
                          const torch::Tensor& zeta) {
  const auto& a = noise.precision;
  const auto pulled = zeta.mm(a);
  const auto half_log_det = torch::log(torch::diagonal(torch::linalg_cholesky(a))).sum();
  const double constant = 0.5 * static_cast<double>(zeta.size(1)) * std::log(2 * std::numbers::pi);
  return half_log_det - constant - 0.5 * (pulled * zeta).sum(1) +
         torch::softplus(pulled + machine.biases - noise.lambda / 2).sum(1);
}

}  // namespace cryoscape::latent
