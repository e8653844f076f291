#include "cryoscape/landscape/explore.hpp"

#include <algorithm>

namespace cryoscape::landscape {
namespace {

double higher_minimum(const Basins& basins, std::size_t a, std::size_t b) {
  return std::max(basins.minima[a].energy, basins.minima[b].energy);
}

/// Joins minima that even the graph's passes do not part.
void merge_shallow(Basins& basins, double least_barrier) {
  for (bool merged = true; merged;) {
    merged = false;
    for (const auto& p : crossings(basins)) {
      if (p.energy - higher_minimum(basins, p.a, p.b) >= least_barrier) continue;
      merge_minimum(basins, p.b, p.a);  // minima ascend in energy
      merged = true;
      break;
    }
  }
}

/// The graph's passes, and where it falls in parts, passes of unknown height between the nearest minima.
std::vector<Crossing> joined(const Basins& basins) {
  auto passes = crossings(basins);
  for (std::size_t a = 0; a < basins.minima.size(); ++a)
    for (std::size_t b = a + 1; b < basins.minima.size(); ++b)
      // Above any energy, and the higher the farther apart.
      passes.push_back({a, b, 1e6 + (basins.minima[a].position - basins.minima[b].position).norm()});
  return spanning(basins.minima.size(), passes);
}

Pathway find_pathway(const Surface& surface, const Basins& basins, std::size_t a, std::size_t b,
                     const StringLimits& limits) {
  Pathway out{a, b, string_path(surface, start_path(basins, a, b), limits)};
  out.path.energies.array() -= basins.offset;
  return out;
}

/// Joins minima a < b and drops what is known of b.
void forget(EnergyLandscape& landscape, std::size_t a, std::size_t b) {
  merge_minimum(landscape.basins, b, a);
  auto& known = landscape.pathways;
  std::erase_if(known, [&](const Pathway& p) { return p.a == b || p.b == b; });
  for (auto& p : known) p.a -= p.a > b, p.b -= p.b > b;
}

}  // namespace

EnergyLandscape explore(const Surface& surface, const Points& samples, double least_barrier,
                        const StringLimits& limits) {
  EnergyLandscape out{find_basins(surface, samples), {}, {}};
  merge_shallow(out.basins, least_barrier);
  const auto known = [&](const Crossing& pair) {
    return std::any_of(out.pathways.begin(), out.pathways.end(),
                       [&](const Pathway& p) { return p.a == pair.a && p.b == pair.b; });
  };
  for (bool complete = false; !complete;) {
    complete = true;
    for (const auto& pair : joined(out.basins)) {
      if (known(pair)) continue;
      auto pathway = find_pathway(surface, out.basins, pair.a, pair.b, limits);
      const double barrier = pathway.path.saddle_energy() - higher_minimum(out.basins, pair.a, pair.b);
      if (barrier >= least_barrier) {
        out.pathways.push_back(std::move(pathway));
        continue;
      }
      forget(out, pair.a, pair.b);
      complete = false;
      break;
    }
  }
  std::vector<Crossing> passes;
  for (const auto& p : out.pathways) passes.push_back({p.a, p.b, p.path.saddle_energy()});
  const auto kept = spanning(out.basins.minima.size(), passes);
  std::erase_if(out.pathways, [&](const Pathway& p) {
    return std::none_of(kept.begin(), kept.end(),
                        [&](const Crossing& k) { return k.a == p.a && k.b == p.b; });
  });
  std::sort(out.pathways.begin(), out.pathways.end(),
            [](const Pathway& x, const Pathway& y) { return std::pair(x.a, x.b) < std::pair(y.a, y.b); });
  out.tree = disconnectivity_tree(out.basins.minima.size(), kept);
  return out;
}

}  // namespace cryoscape::landscape
