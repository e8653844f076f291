#include "cryoscape/inference/joint_evidence.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "cryoscape/inference/draw_refit.hpp"

namespace cryoscape::inference {
namespace {

constexpr std::size_t kDraws = 32;
constexpr std::int64_t kScoredParticles = 8;  ///< at once, with all their draws
constexpr std::size_t kShiftStructures = 512;

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

double HeldOutEvidence::mean() const { return held_out_mean(evidence, {}).value; }

JointRound judged(const HeldOutEvidence& best, const HeldOutEvidence& now, double edge_weight) {
  JointRound out;
  out.edge_weight = edge_weight, out.evidence = now.mean();
  out.effective_draws = held_out_mean(now.effective, {}).value;
  std::vector<double> gains(best.evidence.size());
  std::transform(now.evidence.begin(), now.evidence.end(), best.evidence.begin(), gains.begin(),
                 std::minus<>());
  const auto gain = held_out_mean(gains, {});
  out.gain = gain.value, out.error = gain.error;
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
