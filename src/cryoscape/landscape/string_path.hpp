#pragma once
#include <vector>

#include "cryoscape/landscape/minima.hpp"

namespace cryoscape::landscape {

/// A minimum-energy path between two minima.
struct StringPath {
  Points images;                ///< (dim, n), from one minimum to the other; the highest is the saddle
  Eigen::VectorXd energies;     ///< (n) kT, as the surface gives them
  std::vector<double> lengths;  ///< (n) Å along the path from its first image
  Eigen::Index highest = 0;     ///< image of the saddle; 0 or n − 1 where nothing parts the minima
  bool converged = false;       ///< whether no image was still pushed sideways

  double saddle_energy() const { return energies[highest]; }
};

struct StringLimits {
  int images = 25, iterations = 200;
  double force = 0.05;  ///< kT/Å, sideways, that ends the search
};

/// The path that the simplified string method (E, Ren and Vanden-Eijnden, J. Chem. Phys. 2007) makes of a
/// start (dim, n ≥ 2) whose ends are minima. Images slide down −G⁻¹∇U with the metric G = JᵀJ of the
/// positions, so that the path is that of the conformations and not of their coordinates, and are spaced
/// evenly in Å. The highest image then goes to the saddle along the lowest mode of the Hessian (eigenvector
/// following, Cerjan and Miller, J. Chem. Phys. 1981), where that ends within its neighbours.
StringPath string_path(const Surface& surface, const Points& start, const StringLimits& limits = {});

/// A start (dim, n) from minimum a to minimum b: the path over the samples' graph on which ∫ e^U ds is least,
/// that of the largest flux (Huo and Straub, J. Chem. Phys. 1997); a straight line where the graph has none.
Points start_path(const Basins& basins, std::size_t a, std::size_t b);

}  // namespace cryoscape::landscape
