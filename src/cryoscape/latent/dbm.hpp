#pragma once
#include "cryoscape/latent/bipartite_prior.hpp"

namespace cryoscape::latent {

/// Deep Boltzmann machine (Salakhutdinov, Hinton 2009) whose visible units are the latent bits, with two
/// layers of hidden bits: E(z, h₁, h₂) = −b·z − c₁·h₁ − c₂·h₂ − zᵀW₁h₁ − h₁ᵀW₂h₂. The layers z and h₂ are one
/// side of a bipartite machine, h₁ the other, so that block Gibbs and log Z are that machine's; units are (z,
/// h₂, h₁), couplings W₁ above W₂ᵀ.
class DeepBoltzmann : public BipartitePrior {
 public:
  DeepBoltzmann(const PriorOptions& options, std::uint64_t seed)
      : BipartitePrior(options, options.bits + options.hidden, options.hidden, seed) {}
  /// −ln Σ_h e^{−E(z, h)}: exact up to 20 bits per hidden layer, above them the mean-field bound from above.
  torch::Tensor energy(const torch::Tensor& z) const override;

  /// Energies (B) with the hidden layers at their mean-field values, less their entropy: at most 0 below
  /// energy(z), and at probabilities z = q an upper bound on E_q[energy(z)]. Differentiable in z; the
  /// stationary means need no derivative.
  torch::Tensor mean_field_energy(const BipartiteUnits& machine, const torch::Tensor& z) const;

 protected:
  torch::Tensor expected_energy(const Posterior& posterior) const override;
  torch::Tensor completed(const torch::Tensor& bits) const override;
  torch::Tensor positive_phase(const Posterior& posterior, const Sample& sample) const override;
};

}  // namespace cryoscape::latent
