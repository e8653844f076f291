#pragma once
#include "cryoscape/latent/ising.hpp"

namespace cryoscape::latent {

struct SqaSettings {
  double gamma = 1;        ///< transverse field Γ, in the units of fields and couplings
  double gamma_start = 3;  ///< Γ at the first sweep, if that is larger
  int slices = 16;         ///< P, of imaginary time
  int systems = 64;        ///< at most so many, independent of each other
  int sweeps = 500;   ///< of every system before its first sample: Γ falls in the first half, then rests
  int interval = 10;  ///< sweeps between samples of a system
};

/// Simulated quantum annealing by path-integral Monte Carlo: H = −Σ h σᶻ − Σ J σᶻσᶻ − Γ Σ σˣ at the problem's
/// β, P copies of the spins coupled in a ring, with Δ = β/P and weight
/// exp{Δ Σ_k [Σ h s^k + Σ J s^k s^k] + K Σ s^k s^{k+1}}, K = −½ ln tanh(ΔΓ) (Suzuki 1976). Every spin's ring
/// is updated by clusters along imaginary time (Swendsen, Wang 1987). A sample is one slice, chosen at
/// random: it follows the diagonal of ρ = e^{−βH}/Z, up to an error of order Δ², not the classical
/// distribution.
class SqaSampler : public IsingSampler {
 public:
  explicit SqaSampler(const SqaSettings& settings) : settings_(settings) {}
  IsingSamples sample(const IsingProblem& problem, int count, std::uint64_t seed) const override;
  bool equilibrium() const override { return false; }

 private:
  SqaSettings settings_;
};

}  // namespace cryoscape::latent
