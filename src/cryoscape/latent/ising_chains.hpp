#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "cryoscape/latent/ising_kernel.hpp"

namespace cryoscape::latent {

/// Markov chains of spins, independent of each other, that a trainer or a sampler keeps: Gibbs sampling of
/// kIsingLanes chains at a time, blocks of chains shared among the program's threads. The chains of a seed
/// are the same for any number of threads. The couplings come with every call, so they may change between
/// calls (persistent contrastive divergence).
class IsingChains {
 public:
  /// `count` chains from random states. Chains of one seed whose streams differ by at least the number of
  /// blocks, count/16 rounded up, are independent.
  IsingChains(int spins, int count, std::uint64_t seed, std::uint64_t stream = 0);

  int spins() const { return spins_; }
  int count() const { return count_; }

  /// Sweeps of all chains at one inverse temperature.
  void sweep(const IsingGraph& graph, double beta, int sweeps);
  /// Sweeps of all chains, each at an inverse temperature (count) of its own.
  void sweep(const IsingGraph& graph, std::span<const float> betas, int sweeps);
  /// One sweep of all chains at every inverse temperature of a schedule, in turn.
  void anneal(const IsingGraph& graph, std::span<const double> schedule);

  /// Energies (count) without β.
  std::vector<double> energies(const IsingGraph& graph) const;

  /// States (count, spins) in and out, ±1.
  void set(std::span<const std::int8_t> states);
  void get(std::span<std::int8_t> states) const;
  std::vector<std::int8_t> states() const;
  /// Chain k goes on from where chain parents[k] is.
  void resample(std::span<const int> parents);

  /// Sweeps since the start: with seed and states, all that a checkpoint needs.
  std::uint64_t sweeps_done() const { return done_; }
  void set_sweeps_done(std::uint64_t sweeps) { done_ = sweeps; }

 private:
  std::size_t blocks() const { return values_.size() / block_size(); }
  std::size_t block_size() const { return static_cast<std::size_t>(spins_) * kIsingLanes; }
  float& at(int chain, int spin);
  float at(int chain, int spin) const { return const_cast<IsingChains*>(this)->at(chain, spin); }
  /// `beta(sweep, lanes of a block)` gives the inverse temperatures.
  template <class Betas>
  void run(const IsingGraph& graph, int sweeps, const Betas& betas);

  int spins_, count_;
  std::uint64_t seed_, stream_, done_ = 0;
  std::vector<float> values_;  ///< (blocks, spins, lanes)
};

}  // namespace cryoscape::latent
