#include "cryoscape/inference/bit_proposal.hpp"

#include <cmath>

#include "cryoscape/inference/image_expansion.hpp"

namespace cryoscape::inference {
namespace {

constexpr double kLeastDoubt = 0.01;   ///< of a bit's probability
constexpr double kUpdate = 0.5;        ///< share of an update that is taken
constexpr double kRealStep = 0.1;      ///< of differences of the prior's energy along reals
constexpr double kLeastStiffness = 1;  ///< of the prior along a real: that of a standard normal
constexpr double kLeastDeviation = 1e-3;

torch::Tensor bounded(const torch::Tensor& logits) {
  const double most = std::log((1 - kLeastDoubt) / kLeastDoubt);
  return logits.clamp(-most, most);
}

/// Energies (B, K) of the prior at points (B, K, d).
torch::Tensor energies(const latent::Prior& prior, const torch::Tensor& points) {
  return prior.energy(points.flatten(0, 1)).view({points.size(0), points.size(1)});
}

/// E(μ, z_i = 1) − E(μ, z_i = 0) of every bit, (B, bits).
torch::Tensor flip_energies(const latent::Prior& prior, const torch::Tensor& means) {
  const auto bits = prior.bits();
  auto set = means.unsqueeze(1).repeat({1, 2 * bits, 1});  // (B, 2 bits, d)
  for (std::int64_t i = 0; i < bits; ++i) {
    set.select(1, 2 * i).select(1, i).fill_(1);
    set.select(1, 2 * i + 1).select(1, i).fill_(0);
  }
  const auto e = energies(prior, set).view({means.size(0), bits, 2});
  return e.select(2, 0) - e.select(2, 1);
}

/// Slope and (diagonal) stiffness (B, k) of the prior along the reals.
std::pair<torch::Tensor, torch::Tensor> along_reals(const latent::Prior& prior, const torch::Tensor& means) {
  const auto bits = prior.bits(), k = means.size(1) - bits;
  auto moved = means.unsqueeze(1).repeat({1, 2 * k + 1, 1});
  for (std::int64_t i = 0; i < k; ++i) {
    moved.select(1, 2 * i).select(1, bits + i).add_(kRealStep);
    moved.select(1, 2 * i + 1).select(1, bits + i).sub_(kRealStep);
  }
  const auto e = energies(prior, moved);
  const auto here = e.select(1, 2 * k).unsqueeze(1);
  const auto pairs = e.narrow(1, 0, 2 * k).view({means.size(0), k, 2});
  const auto ahead = pairs.select(2, 0), behind = pairs.select(2, 1);
  return {(ahead - behind) / (2 * kRealStep),
          ((ahead + behind - 2 * here) / (kRealStep * kRealStep)).clamp_min(kLeastStiffness)};
}

}  // namespace

latent::Posterior independent_posterior(std::int64_t bits, const torch::Tensor& means,
                                        const torch::Tensor& deviations) {
  const auto reals = means.size(1) - bits;
  const auto logits = torch::logit(means.narrow(1, 0, bits), kLeastDoubt);
  latent::Posterior q{bits, torch::cat({logits, means.narrow(1, bits, reals)}, 1), {}, {}, {}};
  if (reals > 0) q.log_std = torch::log(deviations.narrow(1, bits, reals).clamp_min(kLeastDeviation));
  return q;
}

latent::Posterior mean_field(model::HeterogeneityModel& model, const particles::Batch& batch,
                             const latent::Posterior& start, int iterations) {
  torch::NoGradGuard no_grad;
  const auto& prior = model.prior();
  const auto bits = start.bits, reals = start.mean.size(1) - bits;
  const auto particles = torch::arange(start.mean.size(0), torch::kInt64);
  auto q = start;
  for (int i = 0; i < iterations; ++i) {
    const auto means = latent::expectation(q);
    const auto image = expand_images(model, batch, particles, means);
    const auto own = torch::diagonal(image.information, 0, 1, 2).narrow(1, 0, bits);
    const auto target =
        image.score.narrow(1, 0, bits) + (means.narrow(1, 0, bits) - 0.5) * own - flip_energies(prior, means);
    auto mean = bounded(q.logits() + kUpdate * (target - q.logits())).to(torch::kFloat32);
    if (reals > 0) {
      const auto [slope, stiffness] = along_reals(prior, means);
      const auto precision = image.information.narrow(1, bits, reals).narrow(2, bits, reals) +
                             torch::diag_embed(stiffness.to(torch::kFloat64));
      const auto covariance = torch::cholesky_inverse(torch::linalg_cholesky(precision));
      const auto step = covariance.matmul((image.score.narrow(1, bits, reals) - slope).unsqueeze(2));
      mean = torch::cat({mean, q.means() + kUpdate * step.squeeze(2)}, 1).to(torch::kFloat32);
      q.log_std = (0.5 * torch::log(torch::diagonal(covariance, 0, 1, 2))).to(torch::kFloat32);
    }
    q.mean = mean;
  }
  return q;
}

ProposalDraws scored_draws(model::HeterogeneityModel& model, const particles::Batch& batch,
                           const latent::Posterior& first, const latent::Posterior& second, std::int64_t n,
                           torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto b = first.mean.size(0), d = first.mean.size(1);
  const auto repeated = [](const latent::Posterior& q, std::int64_t times) {
    latent::Posterior out{q.bits, q.mean.repeat_interleave(times, 0), {}, {}, {}};
    if (q.has_reals()) out.log_std = q.log_std.repeat_interleave(times, 0);
    return out;
  };
  const auto draw = [&](const latent::Posterior& q, std::int64_t times) {
    return model.prior().draw_hard(repeated(q, times), generator).hard.view({b, times, d});
  };
  ProposalDraws out;
  out.latents = torch::cat({draw(first, n / 2), draw(second, n - n / 2)}, 1).contiguous();
  const auto flat = out.latents.view({b * n, d});
  const auto log_density = [&](const latent::Posterior& q) {
    return latent::log_density(repeated(q, n), flat).to(torch::kFloat64);
  };
  out.log_proposal = (torch::logaddexp(log_density(first), log_density(second)) - std::log(2.0)).view({b, n});
  const auto particles = torch::arange(b, torch::kInt64).repeat_interleave(n);
  out.log_ratio = image_log_ratios_at(model, batch, particles, flat).view({b, n});
  return out;
}

}  // namespace cryoscape::inference
