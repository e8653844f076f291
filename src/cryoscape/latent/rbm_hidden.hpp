#pragma once
#include "cryoscape/latent/bipartite_prior.hpp"

namespace cryoscape::latent {

/// Restricted Boltzmann machine whose visible units are the latent bits, hidden bits summed out: E(z) = −b·z
/// − Σ_j softplus(c_j + (Wᵀz)_j), with biases (b, c) held as one. Since softplus is convex, the energy at the
/// posterior's probabilities is an upper bound on E_q[E(z)], which is what the encoder sees.
class HiddenRbm : public BipartitePrior {
 public:
  HiddenRbm(const PriorOptions& options, std::uint64_t seed)
      : BipartitePrior(options, options.bits, options.hidden, seed) {}
  torch::Tensor energy(const torch::Tensor& z) const override;

 protected:
  torch::Tensor expected_energy(const Posterior& posterior) const override;
  torch::Tensor completed(const torch::Tensor& bits) const override;
  torch::Tensor positive_phase(const Posterior& posterior, const Sample& sample) const override;
};

}  // namespace cryoscape::latent
