#pragma once
#include "cryoscape/latent/langevin.hpp"
#include "cryoscape/latent/mixing.hpp"
#include "cryoscape/latent/prior.hpp"

namespace cryoscape::latent {

/// Markov chains of an energy that has a proposal density all over it: every sweep is one independent
/// proposal, which moves between wells, and two adjusted Langevin steps, which move within them; both leave
/// e^{−E} invariant. Steps adapt as the chains go.
struct ChainSampler {
  EnergyFunction energy;
  Proposal proposal;
  double step = 0.3;

  void sweep(Walkers& walkers, torch::Generator& generator);
};

/// n draws (n, d): importance resampling of the proposal's draws, then sweeps.
torch::Tensor equilibrium_samples(ChainSampler sampler, std::int64_t n, torch::Generator& generator);

/// log Z by importance sampling from the proposal, with samples of the model for the upper bound; by annealed
/// importance sampling on the way from the proposal where the weights of plain importance sampling are too
/// uneven.
LogPartition sampled_log_partition(ChainSampler sampler, torch::Generator& generator);

/// How well chains mix whose values (n) at every step are given.
ChainMixing mixing_of(const std::vector<torch::Tensor>& steps);
/// Of chains whose next energies (n) `next` returns, over `steps` steps.
ChainMixing observed_mixing(int steps, const std::function<torch::Tensor()>& next);

/// By the energy, of the sampler's chains from draws of the proposal.
ChainMixing observed_mixing(ChainSampler sampler, torch::Generator& generator);

/// Writes NAME_r_hat and NAME_autocorrelation_time into a prior's diagnostics.
void record_mixing(nlohmann::json& diagnostics, const std::string& name, const ChainMixing& mixing);

/// Adds a warning that ends in `advice` to a prior's diagnostics where log Z is not known.
void report_bracket(nlohmann::json& diagnostics, const std::string& advice);

/// The same where the mean energies of data and of the samples it learns from, both in the diagnostics, are
/// more than 1 nat apart: the samples are not the model's, or the model has yet to follow the data.
void report_phases(nlohmann::json& diagnostics, const std::string& advice);

/// Records the energy's mixing, and adds such a warning also where split-R̂ ≥ 1.01 (Vehtari et al. 2021).
void report_mixing(nlohmann::json& diagnostics, const ChainMixing& mixing, const std::string& advice);

}  // namespace cryoscape::latent
