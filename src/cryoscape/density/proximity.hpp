#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace cryoscape::density {

/// How near particles are to a conformation, each with the uncertainty of its own: with a posterior N(μ, Σ)
/// over latents, conformations x(z) ≈ x(μ) + J(z − μ) of N beads and r²(z) = |x(z) − x_t|²/N in Å²,
///   weight(h) = E[exp(−r²(z)/2h²)]
///             = exp(−r₀²/2h² + ½ Σ_j q_j²/(h⁴ + λ_j h²)) / Π_j √(1 + λ_j/h²),
/// where λ are the eigenvalues of LᵀGL, Σ = LLᵀ, G = JᵀJ/N, and q = QᵀLᵀJᵀ(x(μ) − x_t)/N in its eigenvectors
/// Q: a particle whose conformation is known badly counts less, however near its mean lies.
class Proximity {
 public:
  Proximity(std::size_t particles, std::size_t targets, std::size_t dim);

  /// Takes particle i: conformation (3N), its derivatives by the latents (d, 3N), covariance (d, d), and the
  /// targets (T, 3N). Particles may be set in any order, from several threads.
  void set(std::size_t particle, std::span<const float> conformation, std::span<const float> jacobian,
           std::span<const float> covariance, std::span<const std::vector<float>> targets);

  /// Weight at a bandwidth h in Å; 0 for a particle that was not set.
  double weight(std::size_t particle, std::size_t target, double bandwidth) const;
  /// r₀, Å; infinite for a particle that was not set.
  double distance(std::size_t particle, std::size_t target) const;

  std::size_t particles() const { return particles_; }

 private:
  std::size_t particles_, targets_, dim_;
  std::vector<float> spread_;  ///< (particles, d) λ, Å²
  std::vector<float> square_;  ///< (particles, T) r₀², Å²
  std::vector<float> pull_;    ///< (particles, T, d) q, Å²
};

/// (Σw)²/Σw² of weights: how many equal ones would average as much noise.
double effective_number(std::span<const double> weights);

}  // namespace cryoscape::density
