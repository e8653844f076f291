#pragma once
#include "cryoscape/latent/ising.hpp"

namespace cryoscape::latent {

struct TemperingSettings {
  int temperatures = 16;  ///< of a ladder, in equal ratios
  double hottest = 0.1;   ///< lowest inverse temperature over the problem's
  int ladders = 64;       ///< at most so many, independent of each other
  int sweeps = 1000;      ///< of every ladder before its first sample
  int interval = 20;      ///< sweeps between samples of a ladder
};

/// Parallel tempering (Swendsen, Wang 1986; Hukushima, Nemoto 1996): after every sweep neighbours of a ladder
/// of temperatures exchange states with probability min(1, e^{(β_k − β_l)(E_k − E_l)}). Samples of one ladder
/// follow each other; those of different ladders are independent.
class TemperingSampler : public IsingSampler {
 public:
  explicit TemperingSampler(const TemperingSettings& settings) : settings_(settings) {}
  IsingSamples sample(const IsingProblem& problem, int count, std::uint64_t seed) const override;
  bool equilibrium() const override { return true; }

 private:
  TemperingSettings settings_;
};

}  // namespace cryoscape::latent
