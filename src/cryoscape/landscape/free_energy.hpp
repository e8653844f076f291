#pragma once
#include <nlohmann/json.hpp>

#include "cryoscape/landscape/collective_variable.hpp"
#include "cryoscape/landscape/conformation_path.hpp"
#include "cryoscape/landscape/conformation_plane.hpp"
#include "cryoscape/landscape/conformations.hpp"
#include "cryoscape/landscape/sample_density.hpp"
#include "cryoscape/training/run.hpp"

namespace cryoscape::landscape {

/// "pc" of pc1, "path" of path:FILE.
std::string kind_of(const CollectiveVariable& variable);

/// Values (M) of a variable in the conformations of all usable particles, in their order.
std::vector<double> values_of(const CollectiveVariable& variable, const Conformations& conformations);

/// Conformations at evenly spaced values of a variable, the nodes that exact likelihoods are tabulated at: by
/// posterior means of particles and, as these do not reach as far as the molecule does, as many draws of the
/// prior; at most 20,000 in all, fewer of large molecules.
ConformationPath conformations_along(const CollectiveVariable& variable, training::Run& run,
                                     const Conformations& conformations, std::uint64_t seed,
                                     std::size_t nodes = 51);
/// The same over two variables, by the same structures.
ConformationPlane conformations_over(const std::array<CollectiveVariable, 2>& variables, training::Run& run,
                                     const Conformations& conformations, std::uint64_t seed);

/// F(ξ) = −ln ∫ p(z) δ(ξ − ξ(x(z))) dz along one variable or two, from draws of a run's prior.
struct FreeEnergy {
  std::string variable, kind;                 ///< as it was asked for; "pc", "distance", "path" …
  std::vector<std::string> units;             ///< one per variable
  std::vector<GridAxis> axes;                 ///< one per variable
  std::vector<std::optional<double>> energy;  ///< kT, 0 at the minimum; the last axis fastest
  /// Shares of the particles' posterior means, which noise has blurred.
  std::vector<double> raw_histogram;
};

/// The free energy along `variables` (one or two), with 100 cells along one and 50 × 50 along two. Of a prior
/// that holds the restraints' energy the draws are those in prior_samples.npy. `of_particles`: values_of each
/// variable. Throws Error if a variable has the same value everywhere.
FreeEnergy prior_free_energy(training::Run& run, latent::Prior& prior,
                             const std::vector<CollectiveVariable>& variables,
                             const std::vector<std::vector<double>>& of_particles, std::uint64_t seed);

/// As an entry of landscape.json's free_energy.
nlohmann::json to_json(const FreeEnergy& found);

}  // namespace cryoscape::landscape
