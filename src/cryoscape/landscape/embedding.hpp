#pragma once
#include <cstdint>
#include <vector>

#include "cryoscape/landscape/neighbours.hpp"

namespace cryoscape::landscape {

/// Memberships of points in each other's neighbourhoods, symmetric; the edges of point i stand at
/// [start[i], start[i + 1]), neighbours ascending.
struct FuzzyGraph {
  std::vector<std::size_t> start;        ///< (M + 1)
  std::vector<std::uint32_t> neighbour;  ///< of each edge
  std::vector<float> weight;             ///< (0, 1]
};

/// The fuzzy simplicial set of a neighbour graph (McInnes, Healy and Melville, arXiv:1802.03426,
/// section 3.1): memberships e^{−(d − ρ)/σ} with ρ the nearest distance above 0 and σ such that they add up
/// to log₂ k, joined as a + b − ab.
FuzzyGraph fuzzy_graph(const NeighbourGraph& graph);

/// Lays points (d, M) out in the plane as UMAP does, (M, 2): starting from their first two coordinates, edges
/// pull by their membership and random points push, by stochastic gradients of the cross entropy of
/// memberships with 1/(1 + a r²). (The exponent b of r^{2b} is 1, not fitted: it needs no power.) One after
/// another, so that the result depends on points and seed alone. Points that are no members of the
/// neighbourhood are placed at the mean of their nearest members, weighted by membership. Distances and
/// densities in the plane mean little: it shows neighbourhoods.
std::vector<float> umap_layout(const Points& points, const Neighbourhood& neighbourhood, std::uint64_t seed);

/// The first two coordinates, (M, 2); the second is 0 where there is one only.
std::vector<float> first_two(const Points& points);

/// How well a layout (M, 2) keeps neighbourhoods: 1 where every point's k nearest in it are among its k
/// nearest in space, less the more the ranks of those that are not (trustworthiness, Venna and Kaski, Neural
/// Networks 2006). O(M²).
double trustworthiness(const Points& points, const std::vector<float>& layout, std::size_t k);

}  // namespace cryoscape::landscape
