#pragma once
#include <string>

#include "cryoscape/training/run.hpp"

namespace cryoscape::landscape {

/// What is drawn from a run's prior.
struct SampleRequest {
  int count = 100;
  int seed = 0;
  std::string format = "cif";  ///< of the models: cif, pdb or both
};

/// How many of the draws are molecules.
struct SampleSummary {
  std::size_t count = 0;
  std::size_t broken = 0, clashing = 0, intact = 0;  ///< with broken bonds; with clashes; with neither
};

/// Draws conformations from a run's prior and writes structures/samples.cif, one model each in the model
/// file's frame, and samples.csv: index (from 1), energy −ln p(z) in nats up to a constant, latents,
/// broken_bonds and clashes (structure::count_violations). Deterministic for a seed. Throws Error for a run
/// whose prior includes the restraints' energy, which its sampler does not know.
SampleSummary write_samples(training::Run& run, const SampleRequest& request);

}  // namespace cryoscape::landscape
