#include "cryoscape/inference/joint_evidence.hpp"

#include <algorithm>
#include <cmath>

namespace cryoscape::inference {
namespace {

constexpr std::size_t kDraws = 32;
constexpr std::int64_t kScoredParticles = 8;  ///< at once, with all their draws
constexpr std::size_t kShiftStructures = 512;

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

}  // namespace

WeightedDraws weighted_draws(model::HeterogeneityModel& model, const Propose& propose,
                             const particles::Batch& batch, std::size_t n, std::uint64_t seed) {
  torch::NoGradGuard no_grad;
  const auto b = batch.size(), draws = static_cast<std::int64_t>(n), d = model.latent_dim();
  const auto drawn = propose({batch.indices.data_ptr<std::int64_t>(), static_cast<std::size_t>(b)}, n, seed);
  const auto z = torch::tensor(drawn.latent).view({b * draws, d});
  const auto x = model.decode(z);
  const auto fit = model.score(x, particles::repeated(batch, draws), false).log_likelihood;
  const auto energy = model.prior().energy(z).to(torch::kFloat64);
  const auto log_weight =
      fit.to(torch::kFloat64) - energy - torch::tensor(drawn.log_density, torch::kFloat64);
  return {z.view({b, draws, d}), log_weight.view({b, draws}),
          x.view({b, draws, static_cast<std::int64_t>(model.scene().beads()), 3})};
}

void HeldOutEvidence::add(model::HeterogeneityModel& model, const Propose& propose,
                          const particles::Batch& batch, double log_partition, std::uint64_t seed) {
  torch::NoGradGuard no_grad;
  for (std::int64_t first = 0; first < batch.size(); first += kScoredParticles) {
    const auto part = particles::rows_of(batch, first, std::min(kScoredParticles, batch.size() - first));
    const auto w = weighted_draws(model, propose, part, kDraws, seed);
    const auto value =
        torch::logsumexp(w.log_weight, 1) - std::log(static_cast<double>(kDraws)) - log_partition;
    const auto share = torch::softmax(w.log_weight, 1).pow(2).sum(1).reciprocal() / double(kDraws);
    for (std::int64_t i = 0; i < part.size(); ++i) {
      evidence.push_back(value[i].item<double>());
      effective.push_back(share[i].item<double>());
    }
    if (evidence.size() <= kShiftStructures) structures.push_back(w.structures.select(1, 0).clone());
  }
}

double HeldOutEvidence::mean() const { return mean_of(evidence); }

JointRound judged(const HeldOutEvidence& best, const HeldOutEvidence& now, double edge_weight) {
  JointRound out;
  out.edge_weight = edge_weight, out.evidence = now.mean(), out.effective_draws = mean_of(now.effective);
  const auto n = static_cast<double>(best.evidence.size());
  double square = 0;
  for (std::size_t i = 0; i < best.evidence.size(); ++i) {
    const double gain = now.evidence[i] - best.evidence[i];
    out.gain += gain / n, square += gain * gain / n;
  }
  out.error = std::sqrt(std::max(0.0, square - out.gain * out.gain) / (n - 1));
  out.shift = (torch::cat(now.structures) - torch::cat(best.structures))
                  .pow(2)
                  .sum(2)
                  .mean(1)
                  .sqrt()
                  .mean()
                  .item<double>();
  out.kept = out.gain > out.error;
  return out;
}

}  // namespace cryoscape::inference
