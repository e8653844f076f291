#include "cryoscape/landscape/tree.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace cryoscape::landscape {
namespace {

/// Disjoint sets of minima; each knows the tree's node that stands for it.
class Forest {
 public:
  explicit Forest(std::size_t size) : parent_(size), node_(size) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
    node_ = parent_;
  }
  std::size_t root(std::size_t i) const {
    while (parent_[i] != i) i = parent_[i];
    return i;
  }
  std::size_t node(std::size_t i) const { return node_[root(i)]; }
  /// Whether they were apart.
  bool join(std::size_t a, std::size_t b, std::size_t node) {
    a = root(a), b = root(b);
    if (a == b) return false;
    parent_[b] = a, node_[a] = node;
    return true;
  }

 private:
  std::vector<std::size_t> parent_, node_;
};

void ascending(std::vector<Crossing>& passes) {
  std::stable_sort(passes.begin(), passes.end(),
                   [](const auto& x, const auto& y) { return x.energy < y.energy; });
}

}  // namespace

std::vector<Crossing> crossings(const Basins& basins) {
  std::map<std::pair<std::size_t, std::size_t>, double> lowest;
  const auto& graph = basins.graph;
  for (std::uint32_t i = 0; i < graph.neighbours.size(); ++i)
    for (const auto j : graph.neighbours[i]) {
      const auto a = static_cast<std::size_t>(graph.basin[i]), b = static_cast<std::size_t>(graph.basin[j]);
      if (a >= b) continue;
      const double energy = std::max(graph.energies[i], graph.energies[j]);
      const auto [at, fresh] = lowest.try_emplace({a, b}, energy);
      if (!fresh) at->second = std::min(at->second, energy);
    }
  std::vector<Crossing> out;
  for (const auto& [pair, energy] : lowest) out.push_back({pair.first, pair.second, energy});
  ascending(out);
  return out;
}

std::vector<Crossing> spanning(std::size_t minima, std::vector<Crossing> passes) {
  ascending(passes);
  Forest forest(minima);
  std::erase_if(passes, [&](const Crossing& p) { return !forest.join(p.a, p.b, 0); });
  return passes;
}

std::vector<Fork> disconnectivity_tree(std::size_t minima, const std::vector<Crossing>& passes) {
  Forest forest(minima);
  std::vector<Fork> out;
  for (const auto& p : spanning(minima, passes)) {
    out.push_back({p.energy, forest.node(p.a), forest.node(p.b)});
    forest.join(p.a, p.b, minima + out.size() - 1);
  }
  return out;
}

}  // namespace cryoscape::landscape
