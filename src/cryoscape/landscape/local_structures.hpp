#pragma once
#include <span>
#include <utility>
#include <vector>

#include "cryoscape/landscape/collective_variable.hpp"

namespace cryoscape::landscape {

/// A structure's weight in an average; negative at the far side of a regression line that is drawn beyond its
/// data.
struct StructureWeight {
  std::size_t structure = 0;
  double weight = 0;
};

/// Structures (M, 3N) as the decoder places them, and weighted averages of a few of them. Shapes are averaged
/// after superposition on the mean of all, which a turn of the molecule would else blur.
class LocalStructures {
 public:
  /// `structures` must outlive it.
  LocalStructures(std::span<const float> structures, std::size_t length);

  /// How many structures a local average takes: a fiftieth of them, 20 to 200.
  std::size_t neighbours() const;
  /// The average shape, in no particular place, by weights that sum to 1.
  std::vector<float> shape(std::span<const StructureWeight> weights) const;
  /// The same, where the decoder places these structures on average, so that poses are right.
  std::vector<float> structure(std::span<const StructureWeight> weights) const;

 private:
  std::vector<float> average(std::span<const float> structures,
                             std::span<const StructureWeight> weights) const;

  std::span<const float> placed_;
  std::size_t length_;
  std::vector<float> shapes_;
};

/// The weight of a member of a local average at `distance` (in bandwidths) from its middle: tricube, but a
/// little is left to the farthest, so that a window beyond the data is not a single point.
double tricube(double distance);

/// Where nodes along a variable begin and end: `reach` of the range between the 0.5 and the 99.5 percentile
/// of the structures' values beyond these, or at 0 and 1. Posterior means do not go as far as the molecule
/// does: what lies beyond them would else pile up in the last node. Throws Error for fewer than 20
/// structures, and where the values are all the same.
std::pair<double, double> range_of_nodes(const CollectiveVariable& variable, std::vector<double> values,
                                         double reach);

}  // namespace cryoscape::landscape
