#pragma once
#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

struct Clusters {
  torch::Tensor centres;  ///< (K, d)
  torch::Tensor labels;   ///< (M) int64
};

/// k-means with k-means++ starts on points (M, d). Deterministic for a generator.
Clusters kmeans(const torch::Tensor& points, std::int64_t clusters, int iterations,
                torch::Generator& generator);

}  // namespace cryoscape::latent
