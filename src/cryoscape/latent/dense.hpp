#pragma once
#include "cryoscape/latent/partition.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// Bits that are all coupled: E(z) = −b·z − ½ zᵀJz.
struct DenseUnits {
  torch::Tensor biases;     ///< b (n)
  torch::Tensor couplings;  ///< J (n, n), symmetric with a diagonal of 0
};

/// Energies (m) of bits (m, n), differentiable.
torch::Tensor energy(const DenseUnits& machine, const torch::Tensor& z);

/// Log odds (m, n) of every unit given the others.
torch::Tensor unit_fields(const DenseUnits& machine, const torch::Tensor& z);

/// Gibbs sweeps of bits (m, n), one unit after another, detached.
torch::Tensor gibbs(const DenseUnits& machine, const torch::Tensor& z, int sweeps,
                    torch::Generator& generator);

/// log Z by annealing from bits (m, n) in equilibrium, for any size.
LogPartition annealed_bracket(const DenseUnits& machine, const torch::Tensor& equilibrated, int temperatures,
                              torch::Generator& generator);

/// log Z: exact up to kExactBits, else annealed from bits (m, n) that are first brought to equilibrium.
LogPartition log_partition(const DenseUnits& machine, const torch::Tensor& chains);

}  // namespace cryoscape::latent
