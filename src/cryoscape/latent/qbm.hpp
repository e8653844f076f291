#pragma once
#include "cryoscape/latent/boltzmann.hpp"

namespace cryoscape::latent {

/// Quantum Boltzmann machine of latent bits in a fixed transverse field Γ (Amin et al. 2018): p(z) =
/// ⟨z|e^{−H}|z⟩/Z_Q with H = E(z) − Γ Σ σˣ and E as in the Boltzmann machine. −ln p(z) ≤ E(z) + ln Z_Q
/// (Golden, Thompson; here it is Jensen's inequality), so energies are the classical ones and bounds stay
/// bounds; Γ cannot be learned through them. Negative phases come from persistent paths in imaginary time,
/// with Γ/P ≤ 1/8 for P slices. ln Z_Q is exact by diagonalisation up to 10 bits; above, annealed importance
/// sampling of paths from free spins, whose Trotter error is of second order in Γ/P and upwards.
class QuantumBoltzmann : public BoltzmannPrior {
 public:
  QuantumBoltzmann(const PriorOptions& options, std::uint64_t seed);
  /// Chains are paths (n, slices · units).
  torch::Tensor advance(const torch::Tensor& chains, int sweeps, torch::Generator& generator) const override;
  torch::Tensor states_of(const torch::Tensor& chains) const override { return chains.view({-1, bits()}); }
  LogPartition log_partition() override;
  /// ln Z_Q by annealing, for any size, from paths in equilibrium.
  LogPartition annealed_bracket(const torch::Tensor& equilibrated, int temperatures,
                                torch::Generator& generator) const;
  /// Eigenvalues and the diagonal of e^{−H}/Z_Q (2^n), in binary order; for few bits.
  struct Diagonalised {
    double log_partition;
    torch::Tensor diagonal;
  };
  Diagonalised diagonalised() const;

 protected:
  torch::Tensor chains_from(const torch::Tensor& states) const override {
    return states.repeat({1, slices_});
  }
  /// Chains of few paths follow a change of the couplings late: faster steps overshoot until modes freeze.
  double pace() const override { return 0.25; }

 private:
  torch::Tensor moved(const DenseUnits& machine, const torch::Tensor& paths, int sweeps,
                      torch::Generator& generator) const;

  double field_;
  std::int64_t slices_;
};

}  // namespace cryoscape::latent
