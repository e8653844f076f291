#pragma once
#include "cryoscape/latent/ising.hpp"

namespace cryoscape::latent {

/// The energy −Σ b_i z_i − Σ_{i<j} W_ij z_i z_j of bits z ∈ {0, 1}.
struct BitEnergy {
  std::vector<double> biases;     ///< b, one per bit
  std::vector<Coupling> weights;  ///< W, i < j
};

/// The same energy in spins s = 2z − 1: h_i = b_i/2 + Σ_j W_ij/4, J = W/4. The energy of bits is
/// ising_energy(problem, s) + constant, with constant = −Σ b/2 − Σ W/4.
struct SpinEnergy {
  IsingProblem problem;  ///< with β = 1
  double constant = 0;
};

SpinEnergy to_spins(const BitEnergy& bits);

/// The inverse: W = 4J, b_i = 2h_i − 2Σ_j J_ij; to_spins of it gives the problem back.
BitEnergy to_bits(const IsingProblem& problem);

}  // namespace cryoscape::latent
