#pragma once
#include <cstddef>
#include <span>

namespace cryoscape::latent {

/// Values that several Markov chains took, one chain after another: chains × length.
struct ChainValues {
  std::span<const double> values;
  std::size_t chains = 1;

  std::size_t length() const { return values.size() / chains; }
  std::span<const double> chain(std::size_t k) const { return values.subspan(k * length(), length()); }
};

/// Split-R̂ (Gelman et al. 2013): every chain cut in two halves, the square root of the pooled over the
/// within-half variance; near 1 when chains agree with each other and do not drift. 1 for values that do not
/// vary at all; at least 4 values per chain.
double split_r_hat(const ChainValues& chains);

/// Integrated autocorrelation time in steps, 1 + 2 Σ ρ(t), averaged over chains, the sum ended by Geyer's
/// initial positive sequence (1992); 1 for independent values.
double autocorrelation_time(const ChainValues& chains);

/// Both; a split-R̂ that is not finite is 1e6, for records.
struct ChainMixing {
  double r_hat = 1, autocorrelation_time = 1;
};
ChainMixing mixing_of(const ChainValues& chains);

}  // namespace cryoscape::latent
