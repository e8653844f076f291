#pragma once
#include <array>
#include <span>
#include <vector>

#include "cryoscape/inference/population_table.hpp"
#include "cryoscape/landscape/collective_variable.hpp"

namespace cryoscape::landscape {

/// Conformations on a grid of two collective variables, at those of its points that structures reach.
struct ConformationPlane {
  inference::PopulationGrid grid;  ///< the second variable fastest; K of its points are reached
  std::vector<float> structures;   ///< (K, 3N) Å, as the decoder places them, at these points
};

/// Typical conformations over two variables: local linear regression on both of structures (M, 3N), as
/// `conformations_along` does for one. The grid spans what `range_of_nodes` says, a reach of 10 % included. A
/// point of it counts as reached where at least five structures lie within one spacing of it in both
/// variables and the regression can be moved until its own variables are right to 5 % of the spacings.
/// Throws Error for fewer than 20 structures, and where a variable does not vary or too few points are
/// reached.
ConformationPlane conformations_over(const std::array<CollectiveVariable, 2>& variables,
                                     std::span<const float> structures, std::size_t length,
                                     std::size_t nodes_per_axis = 15);

}  // namespace cryoscape::landscape
