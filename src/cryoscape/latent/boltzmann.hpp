#pragma once
#include "cryoscape/latent/chain_prior.hpp"

namespace cryoscape::latent {

/// Boltzmann machine with a coupling for every pair of latent bits: E(z) = −b·z − Σ_{i<j} J_ij z_i z_j. The
/// cross entropy is exact, Gibbs sampling goes unit by unit, log Z is exact up to 20 bits.
class BoltzmannPrior : public ChainPrior {
 public:
  BoltzmannPrior(const PriorOptions& options, std::uint64_t seed)
      : BoltzmannPrior(options, options.chains, 1, seed) {}
  torch::Tensor energy(const torch::Tensor& z) const override { return latent::energy(machine(), z); }
  torch::Tensor advance(const torch::Tensor& chains, int sweeps, torch::Generator& generator) const override {
    return gibbs(machine(), chains, sweeps, generator);
  }
  torch::Tensor joint_energy(const torch::Tensor& units) const override { return energy(units); }
  torch::Tensor fields(const torch::Tensor& units) const override { return unit_fields(machine(), units); }
  LogPartition log_partition() override { return latent::log_partition(machine(), chains_); }

  DenseUnits joint_machine() const override;

  /// With the couplings above the diagonal, the only ones that count, mirrored.
  DenseUnits machine() const;

 protected:
  /// With how many chains, and how many states each of them has.
  BoltzmannPrior(const PriorOptions& options, std::int64_t chains, std::int64_t states, std::uint64_t seed)
      : ChainPrior(options, {options.bits, options.bits, options.bits, chains, states}, seed) {}
  torch::Tensor expected_energy(const Posterior& posterior) const override;
  std::optional<DenseUnits> pairwise() const override { return joint_machine(); }
  torch::Tensor coupled(const torch::Tensor& matrix) const override { return torch::triu(matrix, 1); }
};

}  // namespace cryoscape::latent
