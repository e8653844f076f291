#include "cryoscape/landscape/neighbours.hpp"

// Its prefetches read one link beyond the end of a list.
#define NO_MANUAL_VECTORIZATION
#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cryoscape/landscape/states.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kLinks = 16, kBreadthBuilding = 100;
constexpr std::size_t kLeastBreadth = 64;  ///< candidates that a search keeps
constexpr std::size_t kSeed = 100;         ///< of the levels, fixed: one cloud has one graph

std::vector<float> column(const Points& points, Eigen::Index i) {
  const Eigen::VectorXf x = points.col(i).cast<float>();
  return {x.begin(), x.end()};
}

void put_means(const NeighbourGraph& graph, const std::vector<std::size_t>& rows, std::vector<float>& out) {
  const auto k = graph.neighbours;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const auto* d = graph.distance.data() + i * k;
    out[rows[i]] = std::accumulate(d, d + k, 0.0f) / static_cast<float>(k);
  }
}

}  // namespace

struct NeighbourIndex::Graph {
  hnswlib::L2Space space;
  hnswlib::HierarchicalNSW<float> links;
  Graph(std::size_t dimension, std::size_t size)
      : space(dimension), links(&space, size, kLinks, kBreadthBuilding, kSeed) {}
};

NeighbourIndex::NeighbourIndex(const Points& points)
    : size_(static_cast<std::size_t>(points.cols())),
      points_(points),
      graph_(
          std::make_unique<Graph>(static_cast<std::size_t>(points.rows()), std::max<std::size_t>(1, size_))) {
  for (std::size_t i = 0; i < size_; ++i) {
    if (i % 1024 == 0) throw_if_interrupted();
    graph_->links.addPoint(column(points, static_cast<Eigen::Index>(i)).data(), i);
  }
}

NeighbourIndex::~NeighbourIndex() = default;
NeighbourIndex::NeighbourIndex(NeighbourIndex&&) noexcept = default;

NeighbourGraph NeighbourIndex::graph(std::size_t k) const {
  return search(points_, std::min(k, size_ - std::min<std::size_t>(1, size_)), true);
}

NeighbourGraph NeighbourIndex::nearest(const Points& points, std::size_t k) const {
  return search(points, std::min(k, size_), false);
}

NeighbourGraph NeighbourIndex::search(const Points& points, std::size_t k, bool without_self) const {
  const auto count = static_cast<std::size_t>(points.cols());
  NeighbourGraph out{k, std::vector<std::uint32_t>(count * k), std::vector<float>(count * k)};
  if (k == 0) return out;
  const auto asked = k + (without_self ? 1 : 0);
  graph_->links.setEf(std::max(kLeastBreadth, 2 * asked));
  parallel_for(count, [&](std::size_t i) {
    auto heap = graph_->links.searchKnn(column(points, static_cast<Eigen::Index>(i)).data(), asked);
    std::vector<std::pair<float, std::size_t>> found;
    for (; !heap.empty(); heap.pop()) found.push_back(heap.top());
    std::sort(found.begin(), found.end());  // ties by index
    if (without_self) {
      const auto self =
          std::find_if(found.begin(), found.end(), [&](const auto& f) { return f.second == i; });
      found.erase(self == found.end() ? found.end() - 1 : self);
    }
    for (std::size_t r = 0; r < k; ++r) {
      // A search that ends early, among many points at one place, repeats its farthest.
      const auto& f = found[std::min(r, found.size() - 1)];
      out.index[i * k + r] = static_cast<std::uint32_t>(f.second);
      out.distance[i * k + r] = std::sqrt(f.first);
    }
  });
  return out;
}

Neighbourhood neighbourhood_of(const Points& points, std::size_t k, std::size_t most, std::uint64_t seed) {
  Neighbourhood out;
  const auto count = static_cast<std::size_t>(points.cols());
  out.members = random_subset(count, most, seed);
  for (std::size_t i = 0, m = 0; i < count; ++i)
    if (m < out.members.size() && out.members[m] == i)
      ++m;
    else
      out.others.push_back(i);
  const NeighbourIndex index(points(Eigen::all, out.members));
  out.among = index.graph(k);
  out.of_others = index.nearest(points(Eigen::all, out.others), k);
  return out;
}

std::vector<float> mean_distances(const Neighbourhood& neighbourhood) {
  std::vector<float> out(neighbourhood.members.size() + neighbourhood.others.size(), 0.0f);
  put_means(neighbourhood.among, neighbourhood.members, out);
  put_means(neighbourhood.of_others, neighbourhood.others, out);
  return out;
}

}  // namespace cryoscape::landscape
