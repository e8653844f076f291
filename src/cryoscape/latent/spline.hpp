#pragma once
#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// Values and ln of the derivative's size, of the shape of the arguments.
struct Warped {
  torch::Tensor values, log_derivative;
};

/// Numbers that a spline of `bins` bins takes per argument.
constexpr std::int64_t spline_parameters(std::int64_t bins) { return 3 * bins - 1; }

/// Monotonic rational-quadratic splines on [−bound, bound] (Gregory & Delbourgo 1982; Durkan et al. 2019),
/// the identity outside. Arguments (B, m), parameters (B, m, 3K − 1): logits of K widths and K heights, then
/// K − 1 inner derivatives; all zero is the identity. Differentiable in both.
Warped spline(const torch::Tensor& x, const torch::Tensor& parameters, double bound);

/// x of y = spline(x), in closed form.
torch::Tensor spline_inverse(const torch::Tensor& y, const torch::Tensor& parameters, double bound);

}  // namespace cryoscape::latent
