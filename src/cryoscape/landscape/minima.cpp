#include "cryoscape/landscape/minima.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <numeric>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kNeighbours = 12;

Eigen::VectorXd squared_distances(const Points& positions, const Eigen::VectorXd& from) {
  return (positions.colwise() - from).colwise().squaredNorm().transpose();
}

/// The nearest of every point, joined both ways.
std::vector<std::vector<std::uint32_t>> neighbours_of(const Points& positions) {
  const auto count = static_cast<std::size_t>(positions.cols());
  const auto nearest = std::min(kNeighbours, count - 1);
  std::vector<std::vector<std::uint32_t>> out(count);
  parallel_for(count, [&](std::size_t i) {
    const auto distance = squared_distances(positions, positions.col(static_cast<Eigen::Index>(i)));
    std::vector<std::uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0u);
    order.erase(order.begin() + static_cast<std::ptrdiff_t>(i));
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(nearest), order.end(),
                      [&](auto a, auto b) { return std::pair(distance[a], a) < std::pair(distance[b], b); });
    out[i].assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(nearest));
  });
  const auto one_way = out;
  for (std::size_t i = 0; i < count; ++i)
    for (const auto j : one_way[i]) out[j].push_back(static_cast<std::uint32_t>(i));
  for (auto& list : out) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }
  return out;
}

/// Where each sample comes to rest when it steps to the neighbour that is lower most steeply.
std::vector<std::uint32_t> rests(const SampleGraph& graph) {
  std::vector<std::uint32_t> next(graph.neighbours.size());
  for (std::uint32_t i = 0; i < next.size(); ++i) {
    next[i] = i;
    double steepest = 0;
    for (const auto j : graph.neighbours[i]) {
      const double distance = (graph.positions.col(i) - graph.positions.col(j)).norm();
      const double slope = (graph.energies[j] - graph.energies[i]) / std::max(distance, 1e-9);
      if (slope < steepest) steepest = slope, next[i] = j;
    }
  }
  for (auto& n : next)
    while (next[n] != n) n = next[n];
  return next;
}

/// Numbers the ends of descents by minimum, nearest ones together; the minima ascend in energy.
std::vector<int> distinct(const Descent& ends, const Points& positions, std::vector<Minimum>& minima) {
  std::vector<Eigen::Index> order(static_cast<std::size_t>(ends.points.cols()));
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return ends.energies[a] < ends.energies[b]; });
  std::vector<int> number(order.size());
  for (const auto i : order) {
    auto same = std::find_if(minima.begin(), minima.end(), [&](const Minimum& m) {
      return (m.position - positions.col(i)).norm() < kSameMinimum;
    });
    if (same == minima.end())
      same = minima.insert(minima.end(), {ends.points.col(i), positions.col(i), ends.energies[i], 0});
    number[static_cast<std::size_t>(i)] = static_cast<int>(same - minima.begin());
  }
  return number;
}

}  // namespace

Basins find_basins(const Surface& surface, const Points& samples) {
  if (samples.cols() < 2) fail("a landscape needs samples of its density, but there are {}", samples.cols());
  Basins out;
  auto& graph = out.graph;
  graph.points = samples;
  graph.positions = surface.position(samples);
  graph.energies = surface.energy(samples);
  graph.neighbours = neighbours_of(graph.positions);
  const auto rest = rests(graph);
  std::vector<std::uint32_t> starts(rest);
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  const auto ends = descend(surface, samples(Eigen::all, starts));
  const auto number = distinct(ends, surface.position(ends.points), out.minima);

  out.offset = out.minima.front().energy;
  for (auto& m : out.minima) m.energy -= out.offset;
  graph.energies.array() -= out.offset;
  const double share = 1 / static_cast<double>(rest.size());
  for (const auto r : rest) {
    const auto start = std::lower_bound(starts.begin(), starts.end(), r) - starts.begin();
    graph.basin.push_back(number[static_cast<std::size_t>(start)]);
    out.minima[static_cast<std::size_t>(graph.basin.back())].population += share;
  }
  return out;
}

std::vector<int> assign_basins(const SampleGraph& graph, const Points& positions) {
  std::vector<int> out(static_cast<std::size_t>(positions.cols()));
  parallel_for(out.size(), [&](std::size_t i) {
    Eigen::Index nearest = 0;
    squared_distances(graph.positions, positions.col(static_cast<Eigen::Index>(i))).minCoeff(&nearest);
    out[i] = graph.basin[static_cast<std::size_t>(nearest)];
  });
  return out;
}

void merge_minimum(Basins& basins, std::size_t from, std::size_t into) {
  basins.minima[into].population += basins.minima[from].population;
  basins.minima.erase(basins.minima.begin() + static_cast<std::ptrdiff_t>(from));
  const int gone = static_cast<int>(from), target = static_cast<int>(into) - (into > from);
  for (int& b : basins.graph.basin) b = b == gone ? target : b - (b > gone);
}

}  // namespace cryoscape::landscape
