#pragma once
#include <cstdint>
#include <vector>

#include "cryoscape/landscape/surface.hpp"

namespace cryoscape::landscape {

/// A minimum of an energy.
struct Minimum {
  Eigen::VectorXd point;     ///< (dim) coordinates
  Eigen::VectorXd position;  ///< (k) Å
  double energy = 0;         ///< kT, the lowest minimum at 0
  double population = 0;     ///< share of the samples in its basin
};

/// Points of a surface, drawn from the density that it is the energy of, joined to their neighbours.
struct SampleGraph {
  Points points;                                       ///< (dim, M)
  Points positions;                                    ///< (k, M) Å
  Eigen::VectorXd energies;                            ///< (M) kT, on the minima's scale
  std::vector<std::vector<std::uint32_t>> neighbours;  ///< (M) of each, both ways
  std::vector<int> basin;  ///< (M) 0-based minimum that the descent from it reaches
};

struct Basins {
  std::vector<Minimum> minima;  ///< ascending in energy
  SampleGraph graph;
  double offset = 0;  ///< the energy of the lowest minimum, which was taken off
};

/// Minima that lie nearer to each other than this are one, Å.
inline constexpr double kSameMinimum = 0.2;

/// Minima and basins of an energy from samples (dim, M) of its density. Every sample steps down to the
/// steepest of its 12 nearest neighbours in space, and from where no neighbour is lower `descend` goes on;
/// ends within kSameMinimum are one minimum. So basins are right to the spacing of the samples. Throws Error
/// for fewer than 2 samples.
Basins find_basins(const Surface& surface, const Points& samples);

/// The basin (M) of points at positions (k, M): that of the nearest sample.
std::vector<int> assign_basins(const SampleGraph& graph, const Points& positions);

/// Joins minimum `from` to minimum `into`, which takes its samples; later minima move up.
void merge_minimum(Basins& basins, std::size_t from, std::size_t into);

}  // namespace cryoscape::landscape
