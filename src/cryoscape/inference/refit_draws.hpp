#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "cryoscape/inference/expansions.hpp"
#include "cryoscape/inference/mixture_posterior.hpp"

namespace cryoscape::inference {

/// Latents of particles, weighted but for the prior: particle i has those of `ranges[i]`, and under a prior p
///   p(x_i) / p(x_i|no particle) ≈ Σ_k e^{log_weight_k} p(z_k),
/// each term that draw's share of the posterior. log_weight is ln p(x|z)/p(x|no particle) − ln q(z|x) − ln n.
struct RefitDraws {
  std::size_t dim = 0;
  std::vector<EntryRange> ranges;
  std::vector<float> latent;       ///< (M, d)
  std::vector<double> log_weight;  ///< (M)

  std::size_t size() const { return log_weight.size(); }
};

/// What was stored of binary posteriors. Throws Error, naming the particle, for one whose draws all have no
/// finite weight.
RefitDraws refit_draws(const ScoredDraws& draws);

/// `count` draws per particle of its exact posterior under `base`, a mixture: then p(x|z) cancels, and
/// log_weight = ln p_base(x) − ln p_base(z) − ln n however sharp or singular the likelihood is. The base
/// must lie wherever a prior may. Particle i of a seed has the same draws whatever the others.
RefitDraws posterior_draws(const GaussianMixture& base, const Expansions& expansions, std::size_t count,
                           std::uint64_t seed);

/// ln Σ_k e^{log_weight_k − energy_k} of every particle, from energies (M).
std::vector<double> log_evidence(const RefitDraws& draws, std::span<const double> energies);

/// The posterior shares (M) of draws, which sum to 1 in every particle.
std::vector<double> posterior_shares(const RefitDraws& draws, std::span<const double> energies);

/// Which particles (by place in `ranges`) are held out: the same for all particles of a group, and for a seed
/// whatever the others are. `groups` by row of the particle set; empty: every row its own.
std::vector<char> held_out(const std::vector<EntryRange>& ranges, const std::vector<std::uint32_t>& groups,
                           double share, std::uint64_t seed);

}  // namespace cryoscape::inference
