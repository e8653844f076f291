#pragma once
#include <map>
#include <vector>

#include "cryoscape/landscape/bit_path.hpp"
#include "cryoscape/landscape/tree.hpp"

namespace cryoscape::landscape {

/// A state from which no single flip leads down: a fixed point of mean field at zero temperature.
struct BitMinimum {
  Bits bits;
  double energy = 0;      ///< kT, the lowest minimum at 0
  double population = 0;  ///< share of the samples in its basin
};

/// The path between two minima, energies on their scale.
struct BitPathway {
  std::size_t a = 0, b = 0;
  BitPath path;
};

/// Minima of bits that are parted by barriers, the paths that join them, and their tree.
struct BitLandscape {
  std::vector<BitMinimum> minima;    ///< ascending in energy
  std::vector<int> basin;            ///< (M) 0-based minimum of each sample
  std::vector<BitPathway> pathways;  ///< ordered by (a, b); one less than there are minima
  std::vector<Fork> tree;
  std::size_t stable = 0;  ///< states without a flip that leads down, before any were joined
};

/// Where steepest single flips end from each of some states.
std::vector<Bits> descend_bits(const BitEnergy& energy, const std::vector<Bits>& states);

/// Finds minima from samples of p ∝ e^{−E}, and the lowest passes between them. A minimum that is parted from
/// a lower one by less than `least_barrier` kT is joined to it; of what is left the `most` most populated
/// ones stay, and the others are joined to the one of those that differs from them in the fewest bits. Throws
/// Error without samples.
BitLandscape explore_bits(const BitEnergy& energy, const std::vector<Bits>& samples, double least_barrier,
                          std::size_t most = 10);

}  // namespace cryoscape::landscape
