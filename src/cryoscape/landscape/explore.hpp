#pragma once
#include <vector>

#include "cryoscape/landscape/string_path.hpp"
#include "cryoscape/landscape/tree.hpp"

namespace cryoscape::landscape {

/// Two minima and the minimum-energy path between them, energies on the minima's scale.
struct Pathway {
  std::size_t a = 0, b = 0;
  StringPath path;
};

/// Minima that are parted by barriers, the paths that join them, and their tree.
struct EnergyLandscape {
  Basins basins;
  std::vector<Pathway> pathways;  ///< ordered by (a, b); one less than there are minima
  std::vector<Fork> tree;
};

/// Finds minima from samples of the density and the lowest passes between them. A minimum whose lowest pass
/// lies less than `least_barrier` kT above it is joined to the one beyond that pass.
EnergyLandscape explore(const Surface& surface, const Points& samples, double least_barrier,
                        const StringLimits& limits = {});

}  // namespace cryoscape::landscape
