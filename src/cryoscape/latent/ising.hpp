#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace cryoscape::latent {

/// A pair coupling J of spins i < j.
struct Coupling {
  int i = 0, j = 0;
  double value = 0;
};

/// p(s) ∝ exp(β(Σ h_i s_i + Σ J_ij s_i s_j)) of spins s = ±1, every pair at most once.
struct IsingProblem {
  std::vector<double> fields;       ///< h, one per spin
  std::vector<Coupling> couplings;  ///< i < j
  double beta = 1;

  int spins() const { return static_cast<int>(fields.size()); }
};

/// Throws Error unless there is a spin, β is positive, indices are in range, i < j, no pair occurs twice and
/// all numbers are finite and below 1e30, which single precision holds.
void check(const IsingProblem& problem);

/// −Σ h_i s_i − Σ J_ij s_i s_j of one state (n).
double ising_energy(const IsingProblem& problem, std::span<const std::int8_t> spins);

/// What a sampler returns.
struct IsingSamples {
  int spins = 0;
  std::vector<std::int8_t> values;  ///< (count, spins), ±1
  double beta_effective = 1;        ///< the inverse temperature that the samples fit, over the problem's
  double beta_error = std::numeric_limits<double>::infinity();  ///< its standard error
  std::optional<double> log_partition;  ///< ln Σ_s exp(β(Σ h_i s_i + Σ J_ij s_i s_j))

  int count() const { return spins == 0 ? 0 : static_cast<int>(values.size()) / spins; }
  std::span<const std::int8_t> sample(int k) const {
    return std::span(values).subspan(static_cast<std::size_t>(k) * static_cast<std::size_t>(spins),
                                     static_cast<std::size_t>(spins));
  }
};

/// Draws samples of any Ising problem.
class IsingSampler {
 public:
  virtual ~IsingSampler() = default;
  /// Deterministic for a seed and any number of threads. Throws Error where the problem is beyond the
  /// sampler. The effective inverse temperature is fitted to the samples (fit_beta in ising_beta.hpp).
  virtual IsingSamples sample(const IsingProblem& problem, int count, std::uint64_t seed) const = 0;
  /// Whether samples follow the problem's distribution by construction, up to mixing; others are optimisers
  /// and annealers, whose samples need correction.
  virtual bool equilibrium() const = 0;
};

}  // namespace cryoscape::latent
