#pragma once
#include "cryoscape/latent/ising.hpp"

namespace cryoscape::latent {

struct CimSettings {
  int steps = 1000;  ///< of the integration
};

/// A coherent Ising machine with chaotic amplitude control (CAC; Leleu et al. 2019, 2021), integrated from
/// small random amplitudes by Euler's method with steps of 0.075: ẋ = −x³ + (p − 1)x + ξe(Jx + h),
/// ė = −0.3e(x² − α), ξ = √(2n/ΣJ²); over the first 90 % of the steps p rises from −0.5 to 1 and α from 1 to
/// 3. Spins are the signs of x. It seeks the ground state and knows nothing of β.
class CimSampler : public IsingSampler {
 public:
  explicit CimSampler(const CimSettings& settings) : settings_(settings) {}
  IsingSamples sample(const IsingProblem& problem, int count, std::uint64_t seed) const override;
  bool equilibrium() const override { return false; }

 private:
  CimSettings settings_;
};

/// SimCIM (Tiunov et al. 2019): v = 0.9v + 0.1(px + 0.01(Jx + h) + 0.03·noise) with
/// p = 6.5(tanh u − 1), u from −3 to 3 over the steps; x moves by v where |x + v| < 1. Spins are the signs of
/// x. It seeks low energies and knows nothing of β.
class SimCimSampler : public IsingSampler {
 public:
  explicit SimCimSampler(const CimSettings& settings) : settings_(settings) {}
  IsingSamples sample(const IsingProblem& problem, int count, std::uint64_t seed) const override;
  bool equilibrium() const override { return false; }

 private:
  CimSettings settings_;
};

}  // namespace cryoscape::latent
