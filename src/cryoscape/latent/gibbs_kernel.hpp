#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace cryoscape::latent {

/// Bits in two sides without couplings within a side: E = −b·z − z₁ᵀ W z₂.
struct BipartiteMachine {
  std::size_t left = 0, right = 0;
  const float* biases = nullptr;     ///< (left + right)
  const float* couplings = nullptr;  ///< (left, right)
};

/// Bits that are all coupled: E = −b·z − ½ zᵀJz.
struct DenseMachine {
  std::size_t units = 0;
  const float* biases = nullptr;     ///< (units)
  const float* couplings = nullptr;  ///< (units, units), symmetric with a diagonal of 0
};

/// Sweeps of block Gibbs, the left side given the right, then the right given the left, on chains
/// (n, left + right) of 0 and 1, in place. Chain k's random numbers are those of stream k of the seed, so
/// that results do not depend on the number of threads or on the other chains.
void block_gibbs(const BipartiteMachine& machine, std::span<float> chains, int sweeps, std::uint64_t seed);

/// Sweeps of sequential Gibbs, one unit after another, on chains (n, units); otherwise as block_gibbs.
/// Updating coupled units at once would sample another distribution.
void sequential_gibbs(const DenseMachine& machine, std::span<float> chains, int sweeps, std::uint64_t seed);

/// The uniform number in [0, 1) that decides about a unit, in steps of 2⁻²⁴: `unit` counts within its side,
/// sides beginning at `first_block` in fours.
float gibbs_noise(std::uint64_t seed, std::size_t chain, int sweep, std::size_t first_block,
                  std::size_t unit);

}  // namespace cryoscape::latent
