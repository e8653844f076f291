#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cryoscape/inference/population_table.hpp"

namespace cryoscape::inference {

struct PopulationOptions {
  /// How the strength λ of the penalty is chosen: "aic", Akaike's criterion with effective degrees of
  /// freedom, or "held-out", the likelihood of a fifth of the particles at a time under the others' density.
  std::string criterion = "aic";
  /// Pieces of the splines that ln p is made of, along each axis; 0: 40 along one variable, 12 along each of
  /// two.
  std::size_t intervals = 0;
};

/// The density of a population on a grid.
struct PopulationFit {
  std::vector<double> share;    ///< (K) probability of each grid point's cell, sum 1
  std::vector<double> density;  ///< (K) per unit volume of the grid's variables
  double lambda = 0;            ///< strength of the penalty, axes scaled to [0, 1]
  double log_likelihood = 0;    ///< Σ ln Σ_k A_ik share_k over particles, rows divided by their largest
  double degrees_of_freedom = 0;
};

/// F = −ln p of a density, 0 at its minimum, kT.
std::vector<double> free_energy(std::span<const double> density);

/// Maximises Σ_i ln Σ_k A_ik p_k − ½ λ ∫((ln p)‴)², λ by the criterion; in two dimensions the penalty is
/// ∫ Σ binomial(3, a) (∂ₓᵃ ∂ᵧ³⁻ᵃ ln p)². With λ → ∞, p is a Gaussian. Without noise in A it is Silverman's
/// estimate (Annals of Statistics 10, 795, 1982). Throws Error for an empty table, UsageError for an unknown
/// criterion.
PopulationFit fit_population(const PopulationTable& table, const PopulationOptions& options = {});

/// The fit and those of resampled particles.
struct PopulationBootstrap {
  PopulationFit fit;
  /// That of the strongest penalty whose criterion is within 4 of the best (2 nats): what more detail than
  /// this shows has little support (Burnham & Anderson, Sociological Methods & Research 33, 261, 2004).
  PopulationFit plain;
  std::vector<PopulationFit> resampled;
};

/// The same with `resamples` bootstrap samples of the groups, λ chosen anew in each and then a tenth of it
/// taken, so that their spread covers what the penalty takes from barriers (undersmoothing; Hall, Annals of
/// Statistics 20, 675, 1992). In parallel; the result
/// depends on the seed, not on the number of threads.
PopulationBootstrap bootstrap_population(const PopulationTable& table, const PopulationOptions& options,
                                         std::size_t resamples, std::uint64_t seed);

}  // namespace cryoscape::inference
