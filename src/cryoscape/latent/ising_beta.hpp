#pragma once
#include <span>

#include "cryoscape/latent/ising.hpp"

namespace cryoscape::latent {

/// An inverse temperature over the problem's, and its standard error.
struct BetaFit {
  double value = 1, error = 0;
};

/// Fits are kept within ± this: samples in local minima of the energy fit no finite inverse temperature.
inline constexpr double kLargestBeta = 1000;

/// The inverse temperature that fits samples (count, n) best by pseudo-likelihood (Besag 1975): maximises
/// Σ_k Σ_i ln σ(2β s_i f_i), f_i = h_i + Σ_j J_ij s_j, which is concave. The error is that of independent
/// samples, whose spins may depend on each other; infinite where β is at the bound or the energy is constant.
/// Of more than 4 million spins, samples at even distances are used. A value of 1 does not prove that the
/// samples follow the distribution.
BetaFit fit_beta(const IsingProblem& problem, std::span<const std::int8_t> samples);

/// The same from the units' log odds (samples, n) of being as they are, 2β s_i f_i.
BetaFit fit_beta(std::span<const float> log_odds, std::size_t n);

/// A sampler's result: the samples and what they fit.
IsingSamples with_beta(const IsingProblem& problem, std::vector<std::int8_t> values,
                       std::optional<double> log_partition = std::nullopt);

}  // namespace cryoscape::latent
