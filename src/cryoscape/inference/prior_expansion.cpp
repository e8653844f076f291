#include "cryoscape/inference/prior_expansion.hpp"

#include <stdexcept>

#include "cryoscape/latent/priors.hpp"

namespace cryoscape::inference {
namespace {

constexpr double kStep = 0.1;             ///< of differences, in standard deviations of the prior
constexpr double kLeastDeviation = 1e-3;  ///< of a latent that the prior holds still

}  // namespace

PriorExpander::PriorExpander(latent::Prior& prior, const torch::Tensor& samples)
    : prior_(prior), standard_normal_(dynamic_cast<const latent::GaussianPrior*>(&prior) != nullptr) {
  if (prior.bits() > 0) throw std::logic_error("PriorExpander: bits have no Hessian");
  const auto centred = (samples - samples.mean(0)).to(torch::kFloat64);
  const auto covariance = centred.t().mm(centred) / static_cast<double>(samples.size(0));
  steps_ = kStep * torch::sqrt(torch::diagonal(covariance)).clamp_min(kLeastDeviation);
  floor_ = 1 / torch::linalg_eigvalsh(covariance).max().item<double>();
}

std::pair<torch::Tensor, torch::Tensor> PriorExpander::with_slope(const torch::Tensor& points) const {
  const torch::AutoGradMode gradients(true);
  auto z = points.detach().to(torch::kFloat32).requires_grad_();
  const auto energy = prior_.energy(z);
  const auto slope = torch::autograd::grad({energy.sum()}, {z})[0];
  return {energy.detach().to(torch::kFloat64), slope.to(torch::kFloat64)};
}

torch::Tensor PriorExpander::energy(const torch::Tensor& points) const {
  torch::NoGradGuard no_grad;
  return prior_.energy(points.to(torch::kFloat32)).to(torch::kFloat64);
}

PriorExpansion PriorExpander::expand(const torch::Tensor& points) const {
  const auto rows = points.size(0), d = points.size(1);
  PriorExpansion out;
  std::tie(out.energy, out.slope) = with_slope(points);
  if (standard_normal_) {
    out.stiffness = torch::eye(d, torch::kFloat64).expand({rows, d, d}).contiguous();
    return out;
  }
  const auto step = torch::diag(steps_);  // (d, d): one latent each
  const auto z = points.to(torch::kFloat64).unsqueeze(1);
  const auto ahead = with_slope((z + step).flatten(0, 1)).second,
             behind = with_slope((z - step).flatten(0, 1)).second;
  const auto hessian = (ahead - behind).view({rows, d, d}) / (2 * steps_).view({1, d, 1});
  const auto [values, vectors] = torch::linalg_eigh(0.5 * (hessian + hessian.transpose(1, 2)), "L");
  out.stiffness =
      (vectors * values.clamp_min(floor_).unsqueeze(1)).matmul(vectors.transpose(1, 2)).contiguous();
  return out;
}

}  // namespace cryoscape::inference
