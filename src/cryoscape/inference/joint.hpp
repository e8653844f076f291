#pragma once
#include <nlohmann/json.hpp>

#include "cryoscape/inference/posterior_proposal.hpp"
#include "cryoscape/training/run.hpp"

namespace cryoscape::inference {

/// How a decoder goes on learning from refined posteriors.
struct JointOptions {
  int rounds = 6;  ///< at most
  int seed = 0;
};

/// What one round of joint training found.
struct JointRound {
  double edge_weight = 0;      ///< kT/Å², of the elastic edges
  double evidence = 0;         ///< mean over held-out particles of ln ∫ p(x|z) p(z) dz, nats
  double gain = 0, error = 0;  ///< over the decoder kept so far: mean and its paired standard error
  double shift = 0;            ///< Å r.m.s. over beads, mean over held-out particles' structures
  double effective_draws = 0;  ///< mean effective share of the draws at held-out particles
  bool kept = false;
};

struct JointReport {
  std::size_t held_out_particles = 0;
  double evidence_before = 0;
  double edge_weight_before = 0;
  std::vector<JointRound> rounds;
  bool changed = false;  ///< whether any round was kept
};
nlohmann::ordered_json to_json(const JointReport& report);

/// Throws Error for a run without held-out particles.
void check_joint(const training::Run& run);

/// Goes on training a run's decoder, gain and noise on draws of refined posteriors, in memory
/// (mathematics.md, "Joint refinement"). `propose` draws latents near the posteriors; draws are weighed anew
/// under the decoder as it is, so that they need not be exact. A round is three passes over the training
/// particles (of few particles more, 100 steps in all), with elastic edges that rest at the ensemble's mean
/// distances and are stiffer by a factor; it is kept where it raises the evidence of the run's held-out
/// particles, which no round is trained on, by more than the paired standard error. A factor that fails makes
/// way for a smaller one; ends when the edges as they are fail. The encoder and the prior stay. Throws Error
/// for a run without held-out particles.
JointReport improve_decoder(training::Run& run, const Propose& propose, const JointOptions& options);

/// The proposal that refine left in a run's folder: its expansions with the prior's curvature, or its draws.
Propose refined_proposal(training::Run& run, std::uint64_t seed);

}  // namespace cryoscape::inference
