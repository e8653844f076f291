#include "cryoscape/inference/basins.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace cryoscape::inference {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

/// Nodes that touch a node, along axes and diagonals.
std::vector<std::size_t> neighbours(std::size_t node, std::span<const std::size_t> nodes) {
  const std::size_t columns = nodes.back(), rows = nodes.size() == 2 ? nodes[0] : 1;
  const std::size_t row = node / columns, column = node % columns;
  std::vector<std::size_t> out;
  for (std::size_t r = row - std::min<std::size_t>(row, 1); r <= std::min(row + 1, rows - 1); ++r)
    for (std::size_t c = column - std::min<std::size_t>(column, 1); c <= std::min(column + 1, columns - 1);
         ++c)
      if (r != row || c != column) out.push_back(r * columns + c);
  return out;
}

/// Pools that grow as the water rises.
class Flood {
 public:
  Flood(std::span<const double> energy, std::span<const std::size_t> nodes, double depth)
      : energy_(energy), depth_(depth), pool_of_(energy.size(), kNone) {
    std::vector<std::size_t> order(energy.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return energy[a] < energy[b]; });
    for (const auto node : order) rise_to(node, neighbours(node, nodes));
  }

  Basins basins() const {
    std::vector<std::size_t> roots;
    for (std::size_t k = 0; k < minimum_.size(); ++k)
      if (root(k) == k) roots.push_back(k);
    std::sort(roots.begin(), roots.end(),
              [&](std::size_t a, std::size_t b) { return minimum_[a] < minimum_[b]; });
    std::map<std::size_t, std::size_t> number;
    Basins out;
    for (const auto k : roots) {
      number[k] = out.minimum.size();
      out.minimum.push_back(minimum_[k]);
    }
    for (const auto pool : pool_of_) out.label.push_back(static_cast<std::uint32_t>(number[root(pool)]));
    std::map<std::pair<std::size_t, std::size_t>, std::size_t> lowest;
    for (const auto& [a, b, node] : meetings_) {
      auto from = number[root(a)], to = number[root(b)];
      if (from == to) continue;
      if (energy_[out.minimum[to]] < energy_[out.minimum[from]]) std::swap(from, to);
      lowest.emplace(std::pair{from, to}, node);  // met first, lowest
    }
    for (const auto& [pair, node] : lowest) out.saddles.push_back({pair.first, pair.second, node});
    return out;
  }

 private:
  struct Meeting {
    std::size_t a, b, node;
  };

  std::size_t root(std::size_t pool) const {
    while (parent_[pool] != pool) pool = parent_[pool];
    return pool;
  }

  void rise_to(std::size_t node, const std::vector<std::size_t>& around) {
    std::size_t own = kNone;
    for (const auto other : around) {
      if (pool_of_[other] == kNone) continue;
      const auto pool = root(pool_of_[other]);
      own = own == kNone ? pool : meet(own, pool, node);
    }
    if (own == kNone) {
      own = minimum_.size();
      minimum_.push_back(node), parent_.push_back(own);
    }
    pool_of_[node] = own;
  }

  /// Two pools at a node that touches both: the deeper one is the node's.
  std::size_t meet(std::size_t a, std::size_t b, std::size_t node) {
    if (a == b) return a;
    if (energy_[minimum_[b]] < energy_[minimum_[a]]) std::swap(a, b);
    if (energy_[node] - energy_[minimum_[b]] >= depth_)
      meetings_.push_back({a, b, node});
    else
      parent_[b] = a;
    return a;
  }

  std::span<const double> energy_;
  double depth_;
  std::vector<std::size_t> pool_of_, minimum_, parent_;
  std::vector<Meeting> meetings_;
};

}  // namespace

Basins find_basins(std::span<const double> energy, std::span<const std::size_t> nodes, double depth) {
  return Flood(energy, nodes, depth).basins();
}

Basins flood_from(std::span<const double> energy, std::span<const std::size_t> nodes,
                  std::span<const std::size_t> seeds) {
  // Seeds far below everything else are the only minima that persist.
  const auto [low, high] = std::minmax_element(energy.begin(), energy.end());
  const double range = *high - *low + 1;
  std::vector<double> dug(energy.begin(), energy.end());
  for (const auto seed : seeds) dug[seed] = *low - 2 * range;
  return Flood(dug, nodes, 2 * range).basins();
}

}  // namespace cryoscape::inference
