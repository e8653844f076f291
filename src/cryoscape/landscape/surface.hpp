#pragma once
#include <Eigen/Core>
#include <functional>
#include <vector>

#include "cryoscape/landscape/mixture.hpp"

namespace cryoscape::landscape {

/// An energy over a few coordinates, and where in space its points lie. Both take many points at once.
struct Surface {
  Eigen::Index dim = 0;
  std::function<Eigen::VectorXd(const Points&)> energy;  ///< kT (M) of points (dim, M)
  std::function<Points(const Points&)> position;  ///< (k, M): places whose Euclidean distances are in Å
  double step = 1e-4;                             ///< half the width of differences, in coordinates
};

/// Gradients (dim, M) of the energy by central differences, of all points in one call.
Points gradient(const Surface& surface, const Points& points);

/// Hessian (dim, dim) at a point, by central differences of gradients.
Eigen::MatrixXd hessian(const Surface& surface, const Eigen::VectorXd& point);

/// JᵀJ (dim, dim) of the positions at each point, Å² per squared unit of the coordinates.
std::vector<Eigen::MatrixXd> metrics(const Surface& surface, const Points& points);

/// When descents end.
struct DescentLimits {
  int iterations = 100;
  double gradient = 1e-2;  ///< kT per unit of the coordinates
  double move = 1;         ///< longest step, in coordinates
};

/// Where descents ended.
struct Descent {
  Points points;             ///< (dim, M)
  Eigen::VectorXd energies;  ///< (M)
};

/// Descents of the energy from many starts (dim, M), all at once: BFGS with backtracking (Nocedal and Wright
/// 2006, chapter 6).
Descent descend(const Surface& surface, const Points& starts, const DescentLimits& limits = {});

}  // namespace cryoscape::landscape
