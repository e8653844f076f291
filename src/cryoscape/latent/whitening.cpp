#include "cryoscape/latent/whitening.hpp"

namespace cryoscape::latent {
namespace {

/// Smallest standard deviation, as a share of the largest and in absolute terms.
constexpr double kLeastShare = 1e-3, kLeast = 1e-4;

}  // namespace

Whitening::Whitening(std::int64_t dim) {
  centre_ = register_buffer("centre", torch::zeros({dim}));
  to_unit_ = register_buffer("to_unit", torch::eye(dim));
  from_unit_ = register_buffer("from_unit", torch::eye(dim));
  log_volume_ = register_buffer("log_volume", torch::zeros({}));
}

void Whitening::fit(const torch::Tensor& means, const torch::Tensor& deviations) {
  torch::NoGradGuard no_grad;
  const auto z = means.to(torch::kFloat64);
  const auto offset = z - z.mean(0);
  const auto covariance = offset.t().mm(offset) / static_cast<double>(z.size(0)) +
                          torch::diag(deviations.to(torch::kFloat64).pow(2).mean(0));
  const auto [values, vectors] = torch::linalg_eigh(covariance, "L");
  const auto found = values.flip({0}).clamp_min(0).sqrt();
  const auto scale = torch::maximum(found, kLeastShare * found.max() + kLeast);
  const auto axes = vectors.flip({1});
  centre_.copy_(z.mean(0));
  to_unit_.copy_(axes / scale);
  from_unit_.copy_((axes * scale).t());
  log_volume_.copy_(scale.log().sum());
}

torch::Tensor Whitening::unit_deviation(const torch::Tensor& deviation) const {
  return deviation.pow(2).mm(to_unit_.pow(2)).sqrt();
}

}  // namespace cryoscape::latent
