#pragma once
#include <vector>

#include "cryoscape/structure/cuda/restraint_arrays.hpp"
#include "cryoscape/structure/restraints.hpp"

namespace cryoscape::structure::cuda {

/// A topology's arrays in host memory, to be used there or copied to a GPU.
struct CompactRestraints {
  std::vector<std::int32_t> start;  ///< (N + 1)
  std::vector<Neighbour> neighbours;
  std::vector<EdgePair> pairs;  ///< in the topology's order
  std::vector<OwnLimit> own_limits;
};

/// Partners of every bead: its bonds, then its edges, in the topology's order.
CompactRestraints compact(const RestraintTopology& topology);

}  // namespace cryoscape::structure::cuda
