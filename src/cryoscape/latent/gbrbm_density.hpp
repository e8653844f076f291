#pragma once
#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// Parameters of a Gaussian–Bernoulli RBM: E(z, h) = ½‖(z−b)/σ‖² − c·h − (z/σ)ᵀWh with c = fields − Wᵀ(b/σ) −
/// ½ diag(WᵀW). Held this way the fields are those of the hidden bits' own Ising model, log p(h) = h·fields +
/// Σ_{j<k} (WᵀW)_jk h_j h_k + const, so a step of b or W leaves the populations of single bits alone.
struct GbrbmParameters {
  torch::Tensor b;          ///< (d) visible centres
  torch::Tensor log_sigma;  ///< (d)
  torch::Tensor fields;     ///< (m)
  torch::Tensor w;          ///< (d, m) couplings, in units of σ

  GbrbmParameters detach() const { return {b.detach(), log_sigma.detach(), fields.detach(), w.detach()}; }
};

/// Most hidden bits over which sums are exact.
inline constexpr std::int64_t kGbrbmExactBits = 20;

/// (z − b)/σ (B, d).
torch::Tensor standardised(const GbrbmParameters& p, const torch::Tensor& z);

/// Log odds (B, m) of the hidden bits given u: c + Wᵀ(z/σ).
torch::Tensor hidden_fields(const GbrbmParameters& p, const torch::Tensor& u);

/// E(z) = ½‖u‖² − Σ_j softplus(c_j + (Wᵀ(z/σ))_j) with u = (z − b)/σ, (B).
torch::Tensor gbrbm_energy(const GbrbmParameters& p, const torch::Tensor& z);

/// Unnormalised log weights h·fields + Σ_{j<k} (WᵀW)_jk h_j h_k of all hidden states, (2^m); state i has bit
/// j of i as h_j. Detached; m ≤ 20.
torch::Tensor hidden_log_weights(const GbrbmParameters& p);

/// One step z → h → z of block Gibbs on z (n, d), detached.
torch::Tensor gibbs_sweep(const GbrbmParameters& p, const torch::Tensor& z, torch::Generator& generator);

/// Bits (n, m) of state numbers (n), in the options' dtype.
torch::Tensor bits_of(const torch::Tensor& states, std::int64_t m, const torch::TensorOptions& options);

/// log Z = (d/2) ln 2π + Σ ln σ_i + ln Σ_h of the hidden states' weights, a scalar, with its exact first
/// derivatives; m ≤ 20.
torch::Tensor gbrbm_log_partition(const GbrbmParameters& p);

/// Maximum-likelihood parameters for m hidden bits of points (n, d): several starts, the likeliest kept.
/// Deterministic for a generator; m ≤ 20.
GbrbmParameters fit_gbrbm(const torch::Tensor& points, std::int64_t m, torch::Generator& generator);

}  // namespace cryoscape::latent
