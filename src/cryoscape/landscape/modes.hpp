#pragma once
#include <vector>

#include "cryoscape/landscape/mixture.hpp"

namespace cryoscape::landscape {

/// Components of a mixture that form one state, and the state's highest point.
struct Group {
  std::vector<std::size_t> components;
  Eigen::VectorXd peak;
  double log_density = 0;  ///< at the peak
};

/// ln p at the highest pass found between two groups.
struct Pass {
  std::size_t a = 0, b = 0;
  double log_density = 0;
};

struct Grouping {
  std::vector<Group> groups;
  std::vector<Pass> passes;  ///< of every pair of groups
};

/// Joins the components of a mixture whose density has no real dip between them: each mean is climbed to its
/// mode, and two modes are joined while the highest path found between them lies less than `barrier` (kT)
/// below the lower one. Paths are straight lines and ridges of two Gaussians (Ray and Lindsay, Ann. Statist.
/// 2005), chained over all components, as the highest pass between two places of a landscape (Chazal et al.,
/// J. ACM 2013, merge by that persistence).
Grouping group_components(const Mixture& mixture, double barrier);

/// Every component a group of its own, with its mean as the peak.
Grouping separate_components(const Mixture& mixture);

/// The mode that a fixed-point ascent of the density reaches from x (Carreira-Perpiñán, PAMI 2000).
Eigen::VectorXd climb(const MixtureDensity& density, Eigen::VectorXd x);

}  // namespace cryoscape::landscape
