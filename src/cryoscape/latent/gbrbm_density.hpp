#pragma once
#include <torch/torch.h>

namespace cryoscape::latent {

/// Parameters of a Gaussian–Bernoulli RBM, with hidden fields taken at z = b: a = c + Wᵀ(b/σ) in terms of the
/// plain biases c.
struct GbrbmParameters {
  torch::Tensor b;          ///< (d) visible centres
  torch::Tensor log_sigma;  ///< (d)
  torch::Tensor a;          ///< (m) hidden fields at z = b
  torch::Tensor w;          ///< (d, m) couplings, in units of σ

  GbrbmParameters detach() const { return {b.detach(), log_sigma.detach(), a.detach(), w.detach()}; }
};

/// Most hidden bits over which sums are exact.
inline constexpr std::int64_t kGbrbmExactBits = 20;

/// (z − b)/σ (B, d).
torch::Tensor standardised(const GbrbmParameters& p, const torch::Tensor& z);

/// E(z) = ½‖u‖² − Σ_j softplus(a_j + (Wᵀu)_j) with u = (z − b)/σ, (B).
torch::Tensor gbrbm_energy(const GbrbmParameters& p, const torch::Tensor& z);

/// Unnormalised log weights h·a + ½‖Wh‖² of all hidden states, (2^m); state i has bit j of i as h_j.
/// Detached; m ≤ 20.
torch::Tensor hidden_log_weights(const GbrbmParameters& p);

/// Bits (n, m) of state numbers (n), in the options' dtype.
torch::Tensor bits_of(const torch::Tensor& states, std::int64_t m, const torch::TensorOptions& options);

/// log Z = (d/2) ln 2π + Σ ln σ_i + ln Σ_h e^{h·a + ½‖Wh‖²}, a scalar, with its exact first derivatives; m
/// ≤ 20.
torch::Tensor gbrbm_log_partition(const GbrbmParameters& p);

/// Maximum-likelihood parameters for m hidden bits of points (n, d): several starts, the likeliest kept.
/// Deterministic for a generator; m ≤ 20.
GbrbmParameters fit_gbrbm(const torch::Tensor& points, std::int64_t m, torch::Generator& generator);

}  // namespace cryoscape::latent
