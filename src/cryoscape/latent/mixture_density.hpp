#pragma once
#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// Σ_k π_k N(z; μ_k, Σ_k) with Σ_k⁻¹ = A_k A_kᵀ.
struct MixtureParameters {
  torch::Tensor logits;   ///< (K), ln π but for a constant
  torch::Tensor means;    ///< (K, d)
  torch::Tensor factors;  ///< (K, d, d): A, lower triangular
};

/// −ln of the density (B) of points (B, d), normalised; differentiable in all.
torch::Tensor mixture_energy(const MixtureParameters& p, const torch::Tensor& z);

/// n draws (n, d).
torch::Tensor sample_mixture(const MixtureParameters& p, std::int64_t n, torch::Generator& generator);

/// The aggregate posterior's clusters, in float64.
struct ClusterMoments {
  torch::Tensor log_weights;  ///< (K)
  torch::Tensor centres;      ///< (K, d)
  torch::Tensor covariances;  ///< (K, d, d), with the posteriors' own variance; positive definite
};

/// Moments of k-means clusters of posteriors with means and standard deviations (M, d), M ≥ 1. Clusters of
/// few members get a share of the whole variance.
ClusterMoments cluster_moments(const torch::Tensor& means, const torch::Tensor& deviations,
                               std::int64_t clusters, torch::Generator& generator);

}  // namespace cryoscape::latent
