#pragma once
#include "cryoscape/latent/dense.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// Units in two sides without couplings within a side: E(z) = −b·z − z₁ᵀ W z₂ of units z = (z₁, z₂).
struct BipartiteUnits {
  torch::Tensor biases;     ///< b (left + right)
  torch::Tensor couplings;  ///< W (left, right)

  std::int64_t left() const { return couplings.size(0); }
  std::int64_t right() const { return couplings.size(1); }
  /// Biases or states of one side: of (units) or (n, units).
  torch::Tensor left_of(const torch::Tensor& z) const { return z.narrow(-1, 0, left()); }
  torch::Tensor right_of(const torch::Tensor& z) const { return z.narrow(-1, left(), right()); }
};

/// The same machine with all its couplings in one matrix.
DenseUnits dense_units(const BipartiteUnits& machine);

/// Energies (n) of units (n, left + right), differentiable.
torch::Tensor energy(const BipartiteUnits& machine, const torch::Tensor& z);

/// Log odds (n, units) of every unit given the others.
torch::Tensor unit_fields(const BipartiteUnits& machine, const torch::Tensor& z);

/// Block Gibbs sweeps of units (n, units), detached: the left side given the right, then the right given the
/// left.
torch::Tensor gibbs(const BipartiteUnits& machine, const torch::Tensor& z, int sweeps,
                    torch::Generator& generator);

/// log Z by annealing from units (n, units) in equilibrium, for any size.
LogPartition annealed_bracket(const BipartiteUnits& machine, const torch::Tensor& equilibrated,
                              int temperatures, torch::Generator& generator);

/// log Z: exact where the smaller side has at most kExactBits, else annealed from units (n, units) that are
/// first brought to equilibrium.
LogPartition log_partition(const BipartiteUnits& machine, const torch::Tensor& chains);

}  // namespace cryoscape::latent
