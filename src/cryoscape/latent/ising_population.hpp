#pragma once
#include "cryoscape/latent/ising.hpp"

namespace cryoscape::latent {

struct PopulationSettings {
  int population = 0;   ///< states; 0, or fewer than samples: as many as samples
  int sweeps = 20;      ///< of every state at every temperature
  double weight = 0.9;  ///< temperatures are so close that weights are worth this share of the states
};

/// Population annealing (Hukushima, Iba 2003; Machta 2010): states at β = 0 are weighted, resampled and swept
/// at rising inverse temperatures up to the problem's. ln Z is the sum of the logarithms of mean weights (Z
/// itself is estimated without bias up to the choice of temperatures).
class PopulationSampler : public IsingSampler {
 public:
  explicit PopulationSampler(const PopulationSettings& settings) : settings_(settings) {}
  IsingSamples sample(const IsingProblem& problem, int count, std::uint64_t seed) const override;
  bool equilibrium() const override { return true; }

 private:
  PopulationSettings settings_;
};

}  // namespace cryoscape::latent
