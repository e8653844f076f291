#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "cryoscape/latent/ising_graph.hpp"

namespace cryoscape::latent {

/// Chains that sweep together, one in every lane of a vector. Their spins are floats ±1, laid out (n, lanes).
inline constexpr int kIsingLanes = 16;

/// Spins of a sweep whose random words are made at once, and the Philox counters that these take.
inline constexpr int kSpinsPerDraw = 16, kCountersPerDraw = kSpinsPerDraw * kIsingLanes / 4;

/// Where a block of chains takes its random numbers: the Philox generator's seed, stream and counter.
struct PhiloxPlace {
  std::uint64_t seed = 0, stream = 0, counter = 0;
};

/// Counters that one sweep of a block uses up.
std::uint64_t counters_per_sweep(const IsingGraph& graph);

/// h_i + Σ_j J_ij x_j of spin i for `width` columns of x (n, width); width is a multiple of kIsingLanes.
void ising_fields(const IsingGraph& graph, int spin, const float* x, std::size_t width, float* fields);

/// One sweep of Gibbs sampling over all spins, in the graph's order, of kIsingLanes chains, each at an
/// inverse temperature of its own: s_i = +1 with probability 1/(1 + e^{−2βf_i}). Probabilities are exact to
/// 1e-6 and, below 3e-8, zero.
void gibbs_sweep(const IsingGraph& graph, const float* beta, const PhiloxPlace& random, float* spins);

/// The 16 random words with which a sweep updates its k-th spin, one per lane.
std::array<std::uint32_t, kIsingLanes> sweep_words(const PhiloxPlace& random, int k);

/// The plain twin of gibbs_sweep.
void gibbs_sweep_reference(const IsingGraph& graph, const float* beta, const PhiloxPlace& random,
                           float* spins);

}  // namespace cryoscape::latent
