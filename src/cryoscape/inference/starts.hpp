#pragma once
#include "cryoscape/torch.hpp"

namespace cryoscape::inference {

/// Where ascents of particles' posteriors may start: the encoder's mean, those of the nearest particles, and
/// conformations that the prior's samples cluster about, for the encoder may have taken the wrong basin.
class StartPool {
 public:
  static constexpr std::int64_t kNeighbours = 2, kAnchors = 6;

  /// means (M, d) of the encoder, one row per particle, and samples (K, d) of the prior. Neighbours are
  /// looked for among at most 20,000 particles, drawn by the seed; rows that are not finite are left out.
  StartPool(const torch::Tensor& means, const torch::Tensor& samples, std::uint64_t seed);

  /// (A, d): of every cluster of samples the one nearest to its centre.
  const torch::Tensor& anchors() const { return anchors_; }
  /// (B, kNeighbours, d): the means nearest to points (B, d), those at the points themselves left out.
  torch::Tensor neighbours(const torch::Tensor& points) const;

 private:
  torch::Tensor pool_, anchors_;
};

/// Which candidates to ascend from: particles (S) and candidates (S), int64, in order of particles.
struct ChosenStarts {
  torch::Tensor particle, candidate;
};

/// Of each particle at most `most` candidates, the best first by values (B, C) of the log joint: those within
/// 15 nats of the best whose structures (B, C, 3N) differ from all chosen before by at least 0.5 Å r.m.s.
ChosenStarts choose_starts(const torch::Tensor& values, const torch::Tensor& structures, std::int64_t most);

}  // namespace cryoscape::inference
