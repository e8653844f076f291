#include "cryoscape/latent/kmeans.hpp"

namespace cryoscape::latent {

Clusters kmeans(const torch::Tensor& points, std::int64_t clusters, int iterations,
                torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto m = points.size(0);
  auto centres = points.index({torch::randint(m, {1}, generator, torch::kInt64)});
  while (centres.size(0) < clusters) {
    const auto distance = std::get<0>(torch::cdist(points, centres).pow(2).min(1)) + 1e-12;
    centres = torch::cat({centres, points.index({torch::multinomial(distance, 1, false, generator)})});
  }
  torch::Tensor labels;
  for (int i = 0; i < iterations; ++i) {
    labels = torch::cdist(points, centres).argmin(1);
    const auto members = torch::one_hot(labels, clusters).to(points.dtype());
    const auto counts = members.sum(0).unsqueeze(1);
    centres = torch::where(counts > 0, members.t().mm(points) / counts.clamp_min(1), centres);
  }
  return {centres, torch::cdist(points, centres).argmin(1)};
}

}  // namespace cryoscape::latent
