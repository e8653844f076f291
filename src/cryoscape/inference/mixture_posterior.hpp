#pragma once
#include <span>

#include "cryoscape/inference/expansions.hpp"
#include "cryoscape/inference/gaussian_mixture.hpp"

namespace cryoscape::inference {

/// The entries [first, last) of one particle in Expansions or ScoredDraws.
struct EntryRange {
  std::uint32_t particle = 0;
  std::size_t first = 0, last = 0;
};
/// One range per particle, of rows in ascending order.
std::vector<EntryRange> entry_ranges(std::span<const std::uint32_t> particle);

/// Throws Error, naming the particle, for expansions with values that are not finite.
void check(const Expansions& expansions);

/// A Gaussian part of a particle's posterior: of component k and one of the particle's expansions.
struct PosteriorPart {
  double log_mass = 0;  ///< ln of its share of ∫ p(x|z) p(z) dz
  std::size_t component = 0;
  Eigen::VectorXd mean;
  Eigen::MatrixXd precision_root;  ///< L with Σ⁻¹ + F = L Lᵀ
};

/// The posterior of a particle under a mixture, p(x|z) being the sum of its expansions' Gaussians: exact, in
/// information form, so that F may be singular. With g = s − F(μ − a) the score at a component's mean,
///   ln ∫ N(z; μ, Σ) e^{ℓ(z)} dz = ℓ(μ) + ½ gᵀ(Σ⁻¹ + F)⁻¹g + ½ ln |Σ⁻¹| − ½ ln |Σ⁻¹ + F|,
/// and the part is N(μ + (Σ⁻¹ + F)⁻¹ g, (Σ⁻¹ + F)⁻¹). Modes that were found twice count twice.
std::vector<PosteriorPart> posterior_of(const std::vector<PreparedComponent>& mixture,
                                        const Expansions& expansions, const EntryRange& entries);

/// ln ∫ p(x|z) p(z) dz / p(x|no particle) of every particle.
std::vector<double> log_marginals(const GaussianMixture& mixture, const Expansions& expansions);

}  // namespace cryoscape::inference
