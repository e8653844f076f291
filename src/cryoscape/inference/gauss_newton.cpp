#include "cryoscape/inference/gauss_newton.hpp"

namespace cryoscape::inference {
namespace {

constexpr double kFirstDamping = 0.03, kLeastDamping = 1e-4, kEase = 0.2, kTighten = 5;
constexpr double kNoGain = 0.1;  ///< of the tolerance: energies with kinks have a slope at their top

std::array<torch::Tensor JointExpansion::*, 6> members() {
  return {&JointExpansion::log_ratio, &JointExpansion::score, &JointExpansion::information,
          &JointExpansion::energy,    &JointExpansion::slope, &JointExpansion::stiffness};
}

/// Solutions (R, d) of positive definite systems.
torch::Tensor solve(const torch::Tensor& matrices, const torch::Tensor& right) {
  return torch::cholesky_solve(right.unsqueeze(2), torch::linalg_cholesky(matrices)).squeeze(2);
}

/// What full steps promise, in nats (R): ½ gᵀ(F + Λ)⁻¹g.
torch::Tensor promise(const JointExpansion& e) {
  const auto gradient = e.gradient();
  return 0.5 * (gradient * solve(e.precision(), gradient)).sum(1);
}

torch::Tensor damped_step(const JointExpansion& e, const torch::Tensor& damping) {
  const auto precision = e.precision();
  const auto diagonal = torch::diagonal(precision, 0, 1, 2) * damping.unsqueeze(1);
  return solve(precision + torch::diag_embed(diagonal), e.gradient());
}

}  // namespace

JointExpansion JointExpansion::select(const torch::Tensor& rows) const {
  JointExpansion out;
  for (const auto member : members()) out.*member = (this->*member).index_select(0, rows);
  return out;
}

void JointExpansion::replace(const torch::Tensor& rows, const JointExpansion& by) {
  for (const auto member : members()) (this->*member).index_copy_(0, rows, by.*member);
}

Ascent ascend(const Expand& expand, const torch::Tensor& starts, const AscentOptions& options) {
  torch::NoGradGuard no_grad;
  Ascent out;
  out.points = starts.to(torch::kFloat64).clone();
  const auto count = out.points.size(0);
  auto active = torch::arange(count, torch::kInt64);
  out.expansion = expand(active, out.points);
  out.evaluations = count;
  out.converged = promise(out.expansion) < options.tolerance;
  auto damping = torch::full({count}, kFirstDamping, torch::kFloat64);
  for (int i = 0; i < options.iterations; ++i) {
    active = torch::nonzero(out.converged.logical_not()).squeeze(1);
    if (active.size(0) == 0) break;
    const auto here = out.expansion.select(active);
    const auto own_damping = damping.index_select(0, active);
    const auto trial = out.points.index_select(0, active) + damped_step(here, own_damping);
    const auto there = expand(active, trial);
    out.evaluations += active.size(0);
    const auto gain = there.value() - here.value();
    const auto better = gain > 0;  // false where it is not finite
    damping.index_copy_(0, active,
                        torch::where(better, (kEase * own_damping).clamp_min(kLeastDamping),
                                     kTighten * own_damping.clamp_min(kFirstDamping)));
    const auto accepted = torch::nonzero(better).squeeze(1), rows = active.index_select(0, accepted);
    if (rows.size(0) == 0) continue;
    out.points.index_copy_(0, rows, trial.index_select(0, accepted));
    const auto reached = there.select(accepted);
    out.expansion.replace(rows, reached);
    out.converged.index_copy_(
        0, rows,
        torch::logical_or(promise(reached) < options.tolerance,
                          gain.index_select(0, accepted) < kNoGain * options.tolerance));
  }
  return out;
}

}  // namespace cryoscape::inference
