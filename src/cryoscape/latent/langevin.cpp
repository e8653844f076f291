#include "cryoscape/latent/langevin.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/latent/noise.hpp"
#include "cryoscape/latent/posterior.hpp"

namespace cryoscape::latent {
namespace {

constexpr double kBestAcceptance = 0.574, kAdaptation = 0.1, kLeastStep = 1e-4, kMostStep = 2;

torch::Tensor drift(const Walkers& w, double step) { return w.points - 0.5 * step * step * w.gradient; }

/// Takes the proposed walkers with probabilities e^{log ratio} (n); returns the mean probability.
double accept(Walkers& walkers, const Walkers& proposed, const torch::Tensor& log_ratio,
              torch::Generator& generator) {
  const auto probability = torch::exp(log_ratio.clamp_max(0)).nan_to_num(0);
  const auto taken = uniform_like(probability, generator) < probability;
  const auto rows = taken.unsqueeze(1);
  walkers.points = torch::where(rows, proposed.points, walkers.points);
  walkers.energy = torch::where(taken, proposed.energy, walkers.energy);
  walkers.gradient = torch::where(rows, proposed.gradient, walkers.gradient);
  return probability.mean().item<double>();
}

}  // namespace

Walkers walkers_at(const EnergyFunction& energy, const torch::Tensor& points) {
  const torch::AutoGradMode with_gradients(true);
  const auto x = points.detach().requires_grad_();
  const auto e = energy(x);
  const auto gradient = torch::autograd::grad({e.sum()}, {x})[0];
  return {x.detach(), e.detach(), gradient};
}

void langevin_step(const EnergyFunction& energy, Walkers& walkers, double step, torch::Generator& generator) {
  walkers = walkers_at(energy, drift(walkers, step) + step * normal_like(walkers.points, generator));
}

double adjusted_langevin_step(const EnergyFunction& energy, Walkers& walkers, double step,
                              torch::Generator& generator) {
  const auto noise = normal_like(walkers.points, generator);
  const auto proposed = walkers_at(energy, drift(walkers, step) + step * noise);
  const auto back = (walkers.points - drift(proposed, step)) / step;
  const auto log_ratio = walkers.energy - proposed.energy + 0.5 * (noise.pow(2).sum(1) - back.pow(2).sum(1));
  return accept(walkers, proposed, log_ratio, generator);
}

double adapted_step(double step, double acceptance) {
  return std::clamp(step * std::exp(kAdaptation * (acceptance - kBestAcceptance)), kLeastStep, kMostStep);
}

double independence_step(const EnergyFunction& energy, const Proposal& proposal, Walkers& walkers,
                         torch::Generator& generator) {
  const auto proposed = walkers_at(energy, proposal.sample(walkers.points.size(0), generator));
  torch::NoGradGuard no_grad;
  const auto log_ratio =
      walkers.energy - proposed.energy + proposal.energy(proposed.points) - proposal.energy(walkers.points);
  return accept(walkers, proposed, log_ratio, generator);
}

}  // namespace cryoscape::latent
