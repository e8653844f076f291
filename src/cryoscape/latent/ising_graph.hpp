#pragma once
#include <vector>

#include "cryoscape/latent/ising.hpp"

namespace cryoscape::latent {

/// A problem laid out for sweeps: fields, and the couplings of every spin with its neighbours as compressed
/// rows. Single precision.
struct IsingGraph {
  explicit IsingGraph(const IsingProblem& problem);

  std::vector<float> fields;   ///< h, (n)
  std::vector<int> start;      ///< (n + 1) first neighbour of every spin
  std::vector<int> neighbour;  ///< ascending in every row
  std::vector<float> value;    ///< J, beside neighbour
  std::vector<int> order;      ///< in which a sweep visits the spins; 0 … n − 1 at first

  int spins() const { return static_cast<int>(fields.size()); }
};

/// A colour, from 0 up, of every spin, so that coupled spins differ: each spin in turn takes the smallest
/// that none of its neighbours has. Spins of one colour can be updated at the same time; a bipartite machine
/// whose sides are numbered one after the other has two colours, its sides.
std::vector<int> greedy_colours(const IsingGraph& graph);

/// The order of a sweep that visits one colour after another: block Gibbs sampling on bipartite graphs.
std::vector<int> colour_order(const IsingGraph& graph);

}  // namespace cryoscape::latent
