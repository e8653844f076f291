#pragma once
#include <vector>

#include "cryoscape/inference/joint.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::inference {

/// Latents drawn near particles' posteriors, weighed under a decoder and a prior as they are.
struct WeightedDraws {
  torch::Tensor latents;     ///< (B, n, d)
  torch::Tensor log_weight;  ///< (B, n) ln p(x|z) p(z)/q(z), without the prior's log Z, float64
  torch::Tensor structures;  ///< (B, n, N, 3) Å
};

/// n draws per particle of a batch; the same again for the same seed and decoder.
WeightedDraws weighted_draws(model::HeterogeneityModel& model, const Propose& propose,
                             const particles::Batch& batch, std::size_t n, std::uint64_t seed);

/// What a decoder makes of particles that it was not trained on, gathered batch by batch.
struct HeldOutEvidence {
  std::vector<double> evidence;   ///< (particles) ln ∫ p(x|z) p(z) dz by 32 weighted draws, nats
  std::vector<double> effective;  ///< (particles) effective share of the draws
  std::vector<torch::Tensor>
      structures;  ///< (B, N, 3) Å of each particle's first draw, of some 500 particles

  void add(model::HeterogeneityModel& model, const Propose& propose, const particles::Batch& batch,
           double log_partition, std::uint64_t seed);
  double mean() const;
};

/// A round that ended with `now`, beside the best before it, for the same particles in the same order: kept
/// if the mean gain is above its paired standard error.
JointRound judged(const HeldOutEvidence& best, const HeldOutEvidence& now, double edge_weight);

}  // namespace cryoscape::inference
