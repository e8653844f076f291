#pragma once
#include "cryoscape/latent/ising.hpp"

namespace cryoscape::latent {

struct GibbsSettings {
  int sweeps = 1000;
  bool coloured = false;  ///< visit the spins colour by colour (colour_order) instead of in turn
};

/// Gibbs sampling at β from random states, one independent chain per sample.
class GibbsSampler : public IsingSampler {
 public:
  explicit GibbsSampler(const GibbsSettings& settings) : settings_(settings) {}
  IsingSamples sample(const IsingProblem& problem, int count, std::uint64_t seed) const override;
  bool equilibrium() const override { return true; }

 private:
  GibbsSettings settings_;
};

struct AnnealingSettings {
  int sweeps = 1000;
  double hottest = 0.1, coldest = 1;  ///< first and last inverse temperature over the problem's
};

/// Simulated annealing (Kirkpatrick, Gelatt, Vecchi 1983) by Gibbs sampling from random states, the inverse
/// temperature rising in equal steps; one independent chain per sample.
class AnnealingSampler : public IsingSampler {
 public:
  explicit AnnealingSampler(const AnnealingSettings& settings) : settings_(settings) {}
  IsingSamples sample(const IsingProblem& problem, int count, std::uint64_t seed) const override;
  bool equilibrium() const override { return false; }

 private:
  AnnealingSettings settings_;
};

}  // namespace cryoscape::latent
