#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cryoscape::inference {

/// The lowest way between two basins.
struct Saddle {
  std::size_t from = 0, to = 0;  ///< basins, from the one with the deeper minimum
  std::size_t node = 0;          ///< where it is highest
};

/// Basins of an energy on a grid of one or two axes.
struct Basins {
  std::vector<std::size_t> minimum;  ///< node of each basin's minimum
  std::vector<std::uint32_t> label;  ///< (K) basin of each node
  std::vector<Saddle> saddles;       ///< of basins that touch, once each

  std::size_t size() const { return minimum.size(); }
};

/// Floods the grid from its minima. Two basins stay apart where the way between them rises by at least
/// `depth` above the shallower one's minimum (its persistence); otherwise the shallower one belongs to the
/// deeper. `nodes`: points along each axis, the last one fastest. Basins are in the order of their minima's
/// nodes.
Basins find_basins(std::span<const double> energy, std::span<const std::size_t> nodes, double depth);

/// The same with one basin for each of the given nodes, however shallow, and none beside: basin k is that of
/// seeds[k]. Seeds must ascend.
Basins flood_from(std::span<const double> energy, std::span<const std::size_t> nodes,
                  std::span<const std::size_t> seeds);

}  // namespace cryoscape::inference
