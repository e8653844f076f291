#pragma once
#include <functional>

#include "cryoscape/latent/prior.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// Most bits over whose states sums are exact.
inline constexpr std::int64_t kExactBits = 20;

/// Temperatures of annealing, and the sweeps that first bring chains to equilibrium.
inline constexpr int kAnnealingTemperatures = 1000, kEquilibrationSweeps = 200;

/// All 2^m binary states, (2^m, m), in the options' dtype, or `count` of them from state `first` on; m ≤ 24.
/// State i has bit j of i in column j.
torch::Tensor binary_states(std::int64_t m, const torch::TensorOptions& options, std::int64_t first = 0,
                            std::int64_t count = -1);

/// ln Σ e^{w} over all 2^m binary states, where `log_weights` gives w (n) of states (n, m), a block of them
/// at a time; m ≤ 24.
double log_sum_over_states(std::int64_t m, const torch::TensorOptions& options,
                           const std::function<torch::Tensor(const torch::Tensor& states)>& log_weights);

/// What annealed importance sampling needs of a model whose energy at inverse temperature β is E_β, with E_0
/// of known log Z.
struct AnnealedModel {
  double log_partition_at_zero = 0;
  /// n samples at β = 0.
  std::function<torch::Tensor(std::int64_t n)> sample_at_zero;
  /// −E_β(z), (n).
  std::function<torch::Tensor(const torch::Tensor& z, double beta)> log_weight;
  /// A Markov step that leaves e^{−E_β} invariant.
  std::function<torch::Tensor(const torch::Tensor& z, double beta)> transition;
};

/// Seed of annealing runs: a model's bracket is the same whenever it is asked for.
inline constexpr std::uint64_t kAnnealingSeed = 12345;

/// Brackets log Z(1): annealed importance sampling forward from β = 0 (Neal 2001; a lower bound in
/// expectation) and in reverse from `equilibrated` samples of β = 1 (Burda, Grosse, Salakhutdinov 2015; an
/// upper bound). The value is their mean; the bounds are widened by two standard errors. One temperature is
/// plain importance sampling.
LogPartition annealed_log_partition(const AnnealedModel& model, const torch::Tensor& equilibrated,
                                    int temperatures);

}  // namespace cryoscape::latent
