#pragma once
#include "cryoscape/latent/dense.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// Relaxed Boltzmann machines of DVAE# (Vahdat, Andriyash, Macready 2018): densities of smoothed bits ζ with
/// the bits z ~ e^{b·z + ½ zᵀJz}/Z summed out. All are without the term −ln Z, and differentiable in ζ and q.

/// Log densities of one smoothed bit, given each value of the bit.
struct BitDensities {
  torch::Tensor of_zero, of_one;  ///< ln r₀(ζ), ln r₁(ζ); (B, n)
};

/// Of the power smoothing; at its ends the log mass that was moved there.
BitDensities power_densities(const torch::Tensor& zeta, double beta);

/// Of normal noise, N(δ, σ²) and N(1 + δ, σ²) with δ and σ (n).
BitDensities normal_densities(const torch::Tensor& zeta, const torch::Tensor& delta,
                              const torch::Tensor& sigma);

/// ln q(ζ|x) (B) of the factorised posterior, every unit a mixture of its two densities.
torch::Tensor log_mixture(const BitDensities& densities, const torch::Tensor& logits);

/// Lower bound (B) on ln Σ_z e^{h·z + ½ zᵀJz} for biases h (B, n): mean-field sweeps, each updating the first
/// `first` units and then the others, which for a bipartite J never lowers the bound.
torch::Tensor mean_field_log_partition(const torch::Tensor& biases, const torch::Tensor& couplings,
                                       std::int64_t first, int sweeps);

/// ln Σ_z e^{b·z + ½ zᵀJz} Π r(ζ_i|z_i), from below (B): Σ ln r₀ plus the mean-field log partition function
/// with biases b + ln r₁/r₀, by 5 sweeps.
torch::Tensor log_relaxed(const DenseUnits& machine, const BitDensities& densities, std::int64_t first);

/// The Gaussian integral's noise r(ζ|z) = N(z, A⁻¹), A = J + λI: λ is the sharpness, or twice the largest
/// eigenvalue of J by size if that is more, so that importance weights against independent noise of the same
/// variances have a finite variance.
struct GaussianIntegral {
  torch::Tensor precision;  ///< A (n, n)
  double lambda = 0;
};
GaussianIntegral gaussian_integral(const torch::Tensor& couplings, double sharpness);

/// Standard deviations (n) of ζ_i given z: √(A⁻¹)_ii.
torch::Tensor marginal_deviations(const GaussianIntegral& noise);

/// ln Σ_z e^{b·z + ½ zᵀJz} N(ζ; z, A⁻¹) (B), exactly: ½ ln det A − (n/2) ln 2π − ½ ζᵀAζ + Σ softplus((Aζ)_i +
/// b_i − λ/2).
torch::Tensor log_relaxed(const DenseUnits& machine, const GaussianIntegral& noise,
                          const torch::Tensor& zeta);

}  // namespace cryoscape::latent
