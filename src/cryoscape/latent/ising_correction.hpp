#pragma once
#include "cryoscape/latent/ising.hpp"

namespace cryoscape::latent {

/// Split-R̂ of energies below which chains count as mixed.
inline constexpr double kMixed = 1.01;

struct CorrectedSamples {
  IsingSamples samples;
  int sweeps = 0;  ///< of Gibbs sampling at β that it took
};

/// Samples of an optimiser or annealer made samples of the problem's distribution: chains of Gibbs sampling
/// at β go on from them until the split-R̂ of their energies over the second half of all sweeps is below
/// kMixed. Sweeps are doubled from 32 on, a power of two. At least 16 chains are run; at most 512 are looked
/// at, at most 128 times in that half. Throws Error after `most` sweeps.
CorrectedSamples corrected(const IsingProblem& problem, const IsingSamples& raw, std::uint64_t seed,
                           int most);

}  // namespace cryoscape::latent
