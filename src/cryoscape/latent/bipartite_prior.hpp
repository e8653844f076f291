#pragma once
#include "cryoscape/latent/bipartite.hpp"
#include "cryoscape/latent/chain_prior.hpp"

namespace cryoscape::latent {

/// A chain prior whose units couple between two sides only: block Gibbs, and log Z exact when a side has at
/// most 20 units.
class BipartitePrior : public ChainPrior {
 public:
  torch::Tensor advance(const torch::Tensor& chains, int sweeps, torch::Generator& generator) const override {
    return gibbs(machine(), chains, sweeps, generator);
  }
  torch::Tensor joint_energy(const torch::Tensor& units) const override {
    return latent::energy(machine(), units);
  }
  torch::Tensor fields(const torch::Tensor& units) const override { return unit_fields(machine(), units); }
  LogPartition log_partition() override { return latent::log_partition(machine(), chains_); }

  DenseUnits joint_machine() const override { return dense_units({b_.detach(), w_.detach()}); }

  BipartiteUnits machine() const { return {b_, w_}; }

 protected:
  BipartitePrior(const PriorOptions& options, std::int64_t left, std::int64_t right, std::uint64_t seed)
      : ChainPrior(options, {left + right, left, right, options.chains}, seed) {}
};

}  // namespace cryoscape::latent
