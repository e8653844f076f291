#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "cryoscape/inference/expansions.hpp"

namespace cryoscape::inference {

/// Latents near particles' posteriors, n of every particle, one particle after another.
struct ProposedLatents {
  std::vector<float> latent;        ///< (B, n, d)
  std::vector<double> log_density;  ///< (B, n) ln of the density that they are from
};

/// Draws n latents for each of the particles (rows of the particle set). Particle i of a seed has the same
/// draws whatever the others. Throws Error, naming the particle, for one that nothing is known of.
using Propose = std::function<ProposedLatents(std::span<const std::int64_t> particles, std::size_t n,
                                              std::uint64_t seed)>;

/// From Laplace's approximation: a particle's modes as Gaussians of their masses. Here `information` holds
/// F + Λ, the precision of the posterior, positive definite.
Propose propose_from_modes(Expansions modes);

/// From stored draws, by posterior share under a prior of these energies (M): draws, with replacement, from
/// what is known of the posterior. Their density is p(x|z) p(z) over its mean, relative to no particle.
Propose propose_from_draws(ScoredDraws draws, std::vector<double> energies);

}  // namespace cryoscape::inference
