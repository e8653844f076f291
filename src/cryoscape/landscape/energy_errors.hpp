#pragma once
#include <array>
#include <vector>

#include "cryoscape/inference/estimate.hpp"
#include "cryoscape/inference/mixture_fit.hpp"
#include "cryoscape/landscape/mixture.hpp"

/// Bootstrap errors of the minima and passes of an energy.
namespace cryoscape::landscape {

/// Energies at minima and along the paths between them, kT.
struct KnownEnergies {
  struct Path {
    std::size_t a = 0, b = 0;      ///< minima, 0-based
    std::vector<double> energies;  ///< (n)
  };
  std::vector<double> minima;
  std::vector<Path> paths;
};

/// Errors along a path. Energies are above the lowest minimum.
struct PathErrors {
  std::vector<double> energies;                 ///< (n) standard errors
  inference::Estimate saddle;                   ///< its highest energy
  std::array<inference::Estimate, 2> barriers;  ///< of the saddle above either minimum
};

struct EnergyErrors {
  std::vector<double> minima;  ///< standard errors of energies above the lowest minimum
  std::vector<PathErrors> paths;
};

/// Errors from the same energies in resamples of the particles. In each the lowest minimum is at 0, whichever
/// it is there, and a saddle is the highest point of its path.
EnergyErrors energy_errors(KnownEnergies found, std::vector<KnownEnergies> resamples);

/// The places (m, n) of known energies, in the coordinates of a density.
struct KnownPlaces {
  Points minima;
  std::vector<Points> paths;
};

/// Energies U + factor (ln p − ln p_b) of places under each of the mixtures p_b that resamples give instead
/// of p. Minima, paths and all other terms of U stay where and what they are. That is exact to first order,
/// as ∇U = 0 at minima and passes: where they move to, U differs by the square of that step. `factor` scales
/// errors, of p_b that were fitted to fewer particles than p.
std::vector<KnownEnergies> resampled_energies(const KnownEnergies& found, const KnownPlaces& places,
                                              const inference::GaussianMixture& p,
                                              const std::vector<inference::GaussianMixture>& resampled,
                                              double factor);

}  // namespace cryoscape::landscape
