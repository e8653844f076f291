#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "cryoscape/landscape/bit_minima.hpp"
#include "cryoscape/landscape/conformation_energy.hpp"
#include "cryoscape/landscape/energy_errors.hpp"
#include "cryoscape/landscape/explore.hpp"
#include "cryoscape/landscape/structure_space.hpp"
#include "cryoscape/training/run.hpp"

namespace cryoscape::landscape {

/// A minimum of the learned energy.
struct EnergyMinimum {
  double energy = 0;          ///< kT, the lowest at 0
  double population = 0;      ///< share of the density's samples in its basin
  std::vector<float> latent;  ///< (d)
  Eigen::VectorXd position;   ///< (k) in structure space, Å
  std::optional<double> population_error, energy_error;
  std::optional<std::size_t> particles;  ///< in its basin
};

/// A path between two minima, as structures.
struct EnergyPath {
  std::size_t a = 0, b = 0;      ///< minima, 0-based
  std::vector<double> energies;  ///< (n) kT
  std::vector<double> lengths;   ///< (n) Å along it
  std::size_t highest = 0;       ///< which of them is the pass
  std::vector<float> latents;    ///< (n, d)
  bool converged = false;        ///< whether the search for it ended by itself
  std::optional<PathErrors> errors = {};
};

/// What a run's prior says about its conformations.
struct PriorLandscape {
  std::vector<EnergyMinimum> minima;  ///< ascending in energy
  std::vector<EnergyPath> paths;
  std::vector<Fork> tree;
  std::vector<double> tree_errors;               ///< of the forks' energies; empty where paths have none
  std::optional<std::size_t> active_directions;  ///< of real latents
  std::vector<double> motion;                    ///< (d) Å per standard deviation of each direction
  Eigen::MatrixXd directions;                    ///< (m, d) ConformationEnergy::directions of real latents
  /// U (M) of real latents (d, M), kT on the minima's scale; empty for bits.
  std::function<Eigen::VectorXd(const Points& latents)> energy;
  /// The minimum (M), 0-based, whose basin each place (k, M) of structure space lies in; empty for bits.
  std::function<std::vector<int>(const Points& places)> basins_of;
  std::string notice;  ///< why there is none; empty where there is one
};

/// Draws (M, d) of a prior, row by row; the same for a seed.
std::vector<float> prior_draws(latent::Prior& prior, std::size_t count, std::uint64_t seed);

/// Minima, passes and paths of the energy of conformations under a density: of real latents U(z), of bits −ln
/// p(z) over single flips. A minimum that less than `least_barrier` kT part from a lower one is joined to it.
/// Says so in `notice` where the prior mixes bits and real latents or holds restraints. `prior` is the run's
/// own or one fitted to its particles, and must outlive what is returned, as must the run.
PriorLandscape explore_prior(training::Run& run, latent::Prior& prior, const StructureSpace& space,
                             double least_barrier, std::uint64_t seed);

}  // namespace cryoscape::landscape
