#pragma once
#include <utility>
#include <vector>

#include "cryoscape/landscape/minima.hpp"

namespace cryoscape::landscape {

/// A pass between minima a < b (0-based) and its energy, kT.
struct Crossing {
  std::size_t a = 0, b = 0;
  double energy = 0;
};

/// Lowest edges of the samples' graph between each pair of basins that have one: upper bounds of their
/// passes.
std::vector<Crossing> crossings(const Basins& basins);

/// Passes that join all minima, the lowest ones that do (Kruskal): the disconnectivity tree's. Minima that no
/// pass joins stay apart.
std::vector<Crossing> spanning(std::size_t minima, std::vector<Crossing> passes);

/// One fork of a disconnectivity tree (Becker and Karplus, J. Chem. Phys. 1997): at this energy the sets of
/// minima below two nodes become one. Nodes 0 … n − 1 are the minima, n + i is fork i.
struct Fork {
  double energy = 0;
  std::size_t first = 0, second = 0;
};
/// Forks in ascending order of energy.
std::vector<Fork> disconnectivity_tree(std::size_t minima, const std::vector<Crossing>& passes);

}  // namespace cryoscape::landscape
