#pragma once
#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// eˣ, but its tangent above 2: bounds of the form e^x − 1 ≥ x stay bounds, and their gradients bounded.
inline torch::Tensor bounded_exp(const torch::Tensor& x) {
  constexpr double kLinearFrom = 2;
  const auto from = x.clamp_max(kLinearFrom);
  return torch::exp(from) * (1 + x - from);
}

}  // namespace cryoscape::latent
