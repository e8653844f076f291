#pragma once
#include <string>

#include "cryoscape/latent/ising.hpp"

namespace cryoscape::latent {

/// A program of the user's as a sampler, e.g. a client of an annealer. The shell runs `command`; its standard
/// input is the problem with "samples" and "seed" added, its standard output the samples (docs/ising.md).
class ExternalSampler : public IsingSampler {
 public:
  /// `time_limit` in seconds.
  ExternalSampler(std::string command, double time_limit)
      : command_(std::move(command)), time_limit_(time_limit) {}
  /// Throws Error if the program cannot be started, fails, takes longer or answers anything else than the
  /// samples asked for.
  IsingSamples sample(const IsingProblem& problem, int count, std::uint64_t seed) const override;
  bool equilibrium() const override { return false; }

 private:
  std::string command_;
  double time_limit_;
};

}  // namespace cryoscape::latent
