#pragma once
#include <functional>

#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// Energies (n) of points (n, d), differentiable in the points.
using EnergyFunction = std::function<torch::Tensor(const torch::Tensor&)>;

/// Points of Markov chains, detached, with their energies and the energies' gradients.
struct Walkers {
  torch::Tensor points;    ///< (n, d)
  torch::Tensor energy;    ///< (n)
  torch::Tensor gradient;  ///< (n, d)
};

Walkers walkers_at(const EnergyFunction& energy, const torch::Tensor& points);

/// One unadjusted Langevin step x − ½s²∇E + s ξ. Of E = ½x² its stationary variance is 1/(1 − s²/4); stable
/// for s²λ < 4 with λ the largest curvature.
void langevin_step(const EnergyFunction& energy, Walkers& walkers, double step, torch::Generator& generator);

/// The same step, accepted by Metropolis and Hastings (MALA, Roberts & Tweedie 1996), so that e^{−E} is left
/// invariant. Returns the mean probability of acceptance.
double adjusted_langevin_step(const EnergyFunction& energy, Walkers& walkers, double step,
                              torch::Generator& generator);

/// A step size moved towards the acceptance that is best for Langevin steps, 0.574 (Roberts & Rosenthal
/// 1998).
double adapted_step(double step, double acceptance);

/// A density that draws can be had from.
struct Proposal {
  EnergyFunction energy;  ///< −ln of the density, normalised
  std::function<torch::Tensor(std::int64_t n, torch::Generator&)> sample;
};

/// One independent proposal per walker, accepted by Metropolis and Hastings: moves between modes that no
/// local step crosses. Returns the mean probability of acceptance.
double independence_step(const EnergyFunction& energy, const Proposal& proposal, Walkers& walkers,
                         torch::Generator& generator);

}  // namespace cryoscape::latent
