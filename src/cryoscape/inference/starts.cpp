#include "cryoscape/inference/starts.hpp"

#include <cmath>
#include <limits>

#include "cryoscape/latent/kmeans.hpp"

namespace cryoscape::inference {
namespace {

constexpr std::int64_t kPool = 20000;
constexpr int kClusterSteps = 20;
constexpr double kPromising = 15;      ///< nats: an ascent may gain as much
constexpr double kOneStructure = 0.5;  ///< Å r.m.s.

}  // namespace

StartPool::StartPool(const torch::Tensor& means, const torch::Tensor& samples, std::uint64_t seed) {
  torch::NoGradGuard no_grad;
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(seed);
  pool_ = means.index({torch::isfinite(means).all(1)});
  if (pool_.size(0) > kPool)
    pool_ =
        pool_.index_select(0, torch::randperm(pool_.size(0), generator, torch::kInt64).narrow(0, 0, kPool));
  const auto clusters =
      latent::kmeans(samples, std::min(kAnchors, samples.size(0)), kClusterSteps, generator);
  anchors_ = samples.index_select(0, torch::cdist(clusters.centres, samples).argmin(1));
}

torch::Tensor StartPool::neighbours(const torch::Tensor& points) const {
  torch::NoGradGuard no_grad;
  const auto b = points.size(0), d = points.size(1);
  auto distance = torch::cdist(points, pool_, 2, /*compute_mode: differences, not products*/ 2);
  distance.masked_fill_(distance == 0, std::numeric_limits<float>::infinity());
  const auto count = std::min(kNeighbours, pool_.size(0));
  const auto nearest = std::get<1>(torch::topk(distance, count, 1, false));
  return pool_.index_select(0, nearest.reshape(-1)).view({b, count, d});
}

ChosenStarts choose_starts(const torch::Tensor& values, const torch::Tensor& structures, std::int64_t most) {
  torch::NoGradGuard no_grad;
  const auto b = values.size(0), c = values.size(1);
  const auto apart =
      (torch::cdist(structures, structures) / std::sqrt(static_cast<double>(structures.size(2)) / 3))
          .to(torch::kFloat64)
          .contiguous();
  const auto value = torch::nan_to_num(values.to(torch::kFloat64), -1e30, 1e30, -1e30).contiguous();
  const auto order = torch::argsort(value, 1, true).contiguous();
  const auto* best_first = order.data_ptr<std::int64_t>();
  std::vector<std::int64_t> particle, candidate;
  for (std::int64_t i = 0; i < b; ++i) {
    const auto* v = value.data_ptr<double>() + i * c;
    const auto* distance = apart.data_ptr<double>() + i * c * c;
    const auto first = candidate.size();
    for (std::int64_t k = 0; k < c; ++k) {
      const auto next = best_first[i * c + k];
      if (static_cast<std::int64_t>(candidate.size() - first) == most) break;
      if (v[next] < v[best_first[i * c]] - kPromising) break;
      bool distinct = true;
      for (auto j = first; j < candidate.size(); ++j)
        distinct = distinct && distance[next * c + candidate[j]] >= kOneStructure;
      if (distinct) particle.push_back(i), candidate.push_back(next);
    }
  }
  return {torch::tensor(particle, torch::kInt64), torch::tensor(candidate, torch::kInt64)};
}

}  // namespace cryoscape::inference
