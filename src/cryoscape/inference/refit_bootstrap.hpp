#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "cryoscape/inference/mixture_fit.hpp"
#include "cryoscape/inference/refit_draws.hpp"

namespace cryoscape::inference {

/// Populations of basins in the fitted prior and in resamples of the particles.
struct BootstrapPopulations {
  std::vector<double> fitted;                  ///< (basins), sums to 1
  std::vector<std::vector<double>> resamples;  ///< (resamples, basins)
};

/// Standard deviations (basins) over resamples.
std::vector<double> standard_errors(const BootstrapPopulations& populations);

/// How often each particle counts in a resample: Poisson with mean 1, the same for all particles of a group.
/// Depends on seed, resample and group only. `groups` by row of the particle set; empty: every row its own.
std::vector<double> resample_weights(const std::vector<EntryRange>& ranges,
                                     const std::vector<std::uint32_t>& groups, std::uint64_t seed,
                                     int resample);

/// Which basin, 0 to basins − 1, each of n latents (n, d) belongs to.
using BasinsOf = std::function<std::vector<int>(const std::vector<float>& latents)>;

/// A mixture in every resample fitted anew, exactly, from the fitted one in a few quick steps of
/// expectation maximisation (deconvolve_quickly).
std::vector<GaussianMixture> bootstrap_mixtures(const Expansions& expansions, const GaussianMixture& fitted,
                                                const std::vector<std::uint32_t>& groups, int resamples,
                                                std::uint64_t seed);

/// Populations of basins in a mixture, from draws that differ between mixtures as little as can be.
std::vector<double> populations_of(const GaussianMixture& mixture, std::size_t basins,
                                   const BasinsOf& basins_of);

/// For any prior: the shapes p(z | basin) stay as fitted, and the basins' populations are fitted anew in
/// every resample by maximum likelihood, Σ_i w_i ln Σ_b π_b p(x_i | b), which is exact given the shapes:
/// concave, and with the whole loss of information by noise, which counting posterior shares once would leave
/// out. From draws with energies (M) under the fitted prior; `fitted` are the same populations with all
/// weights 1.
BootstrapPopulations bootstrap_populations(const RefitDraws& draws, const std::vector<double>& energies,
                                           std::size_t basins, const BasinsOf& basins_of,
                                           const std::vector<double>& prior_populations,
                                           const std::vector<std::uint32_t>& groups, int resamples,
                                           std::uint64_t seed);

}  // namespace cryoscape::inference
