#pragma once
#include "cryoscape/latent/ising.hpp"

namespace cryoscape::latent {

inline constexpr int kMostExactSpins = 24;

/// Probabilities of all 2ⁿ states; bit i of a state's index is set where s_i = +1.
struct IsingDistribution {
  std::vector<double> probabilities;
  double log_partition = 0;  ///< ln Σ_s exp(β(Σ h_i s_i + Σ J_ij s_i s_j))
};

/// Enumerates all states. Throws Error for more than kMostExactSpins spins.
IsingDistribution enumerate(const IsingProblem& problem);

/// Independent samples of the enumerated distribution.
class ExactSampler : public IsingSampler {
 public:
  IsingSamples sample(const IsingProblem& problem, int count, std::uint64_t seed) const override;
  bool equilibrium() const override { return true; }
};

}  // namespace cryoscape::latent
