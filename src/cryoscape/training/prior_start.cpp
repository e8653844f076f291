#include "cryoscape/training/prior_start.hpp"

namespace cryoscape::training {
namespace {

/// Of the mean square response: latents that hardly move anything are not asked for large steps.
constexpr double kDamping = 0.01;
constexpr double kNoMotion = 1e-12;

/// Displacements (3N, d) for a step of one spread of each latent around their mean.
torch::Tensor responses(model::HeterogeneityModel& model, const torch::Tensor& means,
                        const torch::Tensor& deviations) {
  const auto mean = torch::nanmean(means, 0);
  const auto spread =
      (torch::nanmean((means - mean).pow(2), 0) + torch::nanmean(deviations.pow(2), 0)).sqrt();
  const auto half = torch::diag(0.5 * spread);
  const auto moved = [&](const torch::Tensor& latents) {
    return model.decode(latents.to(model.device(), torch::kFloat32)).to(torch::kCPU).flatten(1);
  };
  return (moved(mean + half) - moved(mean - half)).t();
}

}  // namespace

structure::Motions starting_motions(const std::string& kind, const structure::RestraintTopology& topology,
                                    std::int64_t count) {
  return kind == "modes" ? structure::normal_modes(topology, static_cast<int>(count))
                         : structure::segment_motions(topology, static_cast<int>(count));
}

torch::Tensor participation(model::HeterogeneityModel& model, const torch::Tensor& means,
                            const torch::Tensor& deviations, const structure::Motions& motions) {
  torch::NoGradGuard no_grad;
  const auto count = static_cast<std::int64_t>(motions.count);
  const auto response = responses(model, means, deviations);
  const auto wanted = torch::tensor(motions.directions).view({count, -1}).t();
  const auto square = response.t().mm(response);
  const auto damping = kDamping * square.diagonal().mean().clamp_min(kNoMotion);
  const auto steps =
      torch::linalg_solve(square + damping * torch::eye(square.size(0)), response.t().mm(wanted));
  return steps / steps.norm(2, 0, true).clamp_min(kNoMotion);
}

}  // namespace cryoscape::training
