#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "cryoscape/landscape/mixture.hpp"

namespace cryoscape::landscape {

/// The k nearest of each of M points, nearest first.
struct NeighbourGraph {
  std::size_t neighbours = 0;        ///< k
  std::vector<std::uint32_t> index;  ///< (M, k)
  std::vector<float> distance;       ///< (M, k), in the points' unit

  std::size_t size() const { return neighbours == 0 ? 0 : index.size() / neighbours; }
};

/// An index of points (d, M) for their nearest neighbours: hierarchical navigable small worlds (Malkov and
/// Yashunin, PAMI 2020). Points go in one after another, so that results do not depend on the number of
/// threads. Neighbours are approximate: more than 99 % are the true ones in the few dimensions of structures.
class NeighbourIndex {
 public:
  explicit NeighbourIndex(const Points& points);
  ~NeighbourIndex();
  NeighbourIndex(NeighbourIndex&&) noexcept;

  std::size_t size() const { return size_; }
  /// The k nearest of the index's own points, each without itself; at most M − 1.
  NeighbourGraph graph(std::size_t k) const;
  /// The k nearest in the index to other points (d, N); at most M.
  NeighbourGraph nearest(const Points& points, std::size_t k) const;

 private:
  struct Graph;
  NeighbourGraph search(const Points& points, std::size_t k, bool without_self) const;

  std::size_t size_;
  Points points_;
  std::unique_ptr<Graph> graph_;
};

/// Neighbours of points among some of them, as all of a large cloud are more than is needed to tell where it
/// is dense.
struct Neighbourhood {
  std::vector<std::size_t> members,
      others;                ///< those among which neighbours are sought, and the rest; ascending
  NeighbourGraph among;      ///< of the members; indices count members
  NeighbourGraph of_others;  ///< the members nearest to each of the others
};

/// The k nearest of all points (d, M) among at most `most` of them, chosen at random.
Neighbourhood neighbourhood_of(const Points& points, std::size_t k, std::size_t most, std::uint64_t seed);

/// Mean distance (M) of each point to its nearest.
std::vector<float> mean_distances(const Neighbourhood& neighbourhood);

}  // namespace cryoscape::landscape
