#pragma once
#include <vector>

#include "cryoscape/inference/mixture_posterior.hpp"

namespace cryoscape::inference {

/// When expectation maximisation ends: after `iterations`, or once the mean log-likelihood gains less than
/// `tolerance` nats per particle.
struct EmLimits {
  int iterations = 300;
  double tolerance = 1e-6;
};

/// A mixture fitted to likelihoods.
struct MixtureFit {
  GaussianMixture mixture;
  double log_likelihood = 0;  ///< mean over particles of ln ∫ p(x|z) p(z) dz, nats
  double particles = 0;       ///< sum of their weights
  int iterations = 0;         ///< of the last run
  double criterion = 0;       ///< log-likelihood less what its parameters cost; of grown mixtures
};

/// What the parameters of K Gaussians cost, in nats: the Bayesian information criterion's ½ ln n for each,
/// but ½ ln(1 + n s) for a parameter of which every particle gives the share s of what is to be known (0:
/// nothing, 1: all). `shares` (d) are those of latent directions; a variance's is the product of its two.
/// Idle latents so cost nothing, where the plain criterion would take them for reasons against a second
/// state.
double parameter_cost(std::size_t components, const Eigen::VectorXd& shares, double particles);

/// Maximises Σ_i w_i ln ∫ p(x_i|z) p(z) dz over a mixture from a start, by expectation maximisation with
/// exact posterior moments (extreme deconvolution: Bovy, Hogg, Roweis 2011; here in information form).
/// Directions that no particle knows anything about stay as they start. `weights`: one per particle, empty
/// for all 1. Covariances stay above a thousandth of the start's as a whole. Does not depend on the number of
/// threads.
MixtureFit deconvolve(const Expansions& expansions, const std::vector<double>& weights, GaussianMixture start,
                      const EmLimits& limits);

/// The same with steps that are extrapolated: where likelihoods are as broad as components, plain steps are
/// so short that they end far from the maximum, and resamples would seem to agree better than they do. An
/// iteration is two or three plain ones.
MixtureFit deconvolve_quickly(const Expansions& expansions, const std::vector<double>& weights,
                              GaussianMixture start, const EmLimits& limits);

/// The mixture of 1 to `most` components with the best criterion, log-likelihood − cost, grown from one
/// Gaussian that starts from `broad` by splits of components. Throws Error without particles.
MixtureFit grow_mixture(const Expansions& expansions, const GaussianComponent& broad, std::size_t most);

/// The expansions of the particles for which keep, one per particle of entry_ranges, is set.
Expansions subset(const Expansions& expansions, const std::vector<char>& keep);
ScoredDraws subset(const ScoredDraws& draws, const std::vector<char>& keep);

}  // namespace cryoscape::inference
