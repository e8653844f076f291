#pragma once
#include "cryoscape/latent/prior.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::inference {

/// −ln p(z) around points of latent space, as Gauss–Newton steps and Laplace approximations take it.
struct PriorExpansion {
  torch::Tensor energy;     ///< (R) float64, without log Z
  torch::Tensor slope;      ///< (R, d)
  torch::Tensor stiffness;  ///< (R, d, d) its Hessian, with eigenvalues of at least the prior's own precision
};

/// Expands a prior on real latents. Where the energy is not convex its Hessian would make a posterior wider
/// than the prior itself: eigenvalues are raised to 1/(the largest variance of the prior's samples). Those of
/// other priors than the standard normal come from central differences of the exact gradient, a tenth of the
/// samples' standard deviations to either side: some energies have kinks, which say nothing of a posterior.
class PriorExpander {
 public:
  /// samples (M, d) of the prior. Throws std::logic_error for priors with bits.
  PriorExpander(latent::Prior& prior, const torch::Tensor& samples);
  /// At points (R, d).
  PriorExpansion expand(const torch::Tensor& points) const;
  /// Energies (R) of points (R, d), float64.
  torch::Tensor energy(const torch::Tensor& points) const;

 private:
  std::pair<torch::Tensor, torch::Tensor> with_slope(const torch::Tensor& points) const;

  latent::Prior& prior_;
  torch::Tensor steps_;  ///< (d) float64
  double floor_ = 1;
  bool standard_normal_;
};

}  // namespace cryoscape::inference
