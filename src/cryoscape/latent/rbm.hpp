#pragma once
#include "cryoscape/latent/bipartite_prior.hpp"

namespace cryoscape::latent {

/// Bipartite Boltzmann machine of latent bits: E(z) = −b·z − z₁ᵀ W z₂, half of the bits on each side (Rolfe
/// 2017). The cross entropy is exact.
class RestrictedBoltzmann : public BipartitePrior {
 public:
  RestrictedBoltzmann(const PriorOptions& options, std::uint64_t seed)
      : BipartitePrior(options, options.bits / 2, options.bits - options.bits / 2, seed) {}
  torch::Tensor energy(const torch::Tensor& z) const override { return latent::energy(machine(), z); }

 protected:
  torch::Tensor expected_energy(const Posterior& posterior) const override;
  std::optional<DenseUnits> pairwise() const override { return joint_machine(); }
};

}  // namespace cryoscape::latent
