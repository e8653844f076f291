#pragma once
#include "cryoscape/projection/kernel.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::projection {

/// Plain dense projection in libtorch, in the dtype of `coordinates`, differentiable in everything: the
/// reference that the kernel is tested against. amplitudes (N), coordinates (B, N, 3), rotations (B, 3, 3),
/// shifts (B, 2) → (B, D, D). `window` cuts the Gaussians as the kernel does; without it they are whole.
torch::Tensor project_reference(const ProjectionSpec& spec, const torch::Tensor& amplitudes,
                                const torch::Tensor& coordinates, const torch::Tensor& rotations,
                                const torch::Tensor& shifts, bool window);

}  // namespace cryoscape::projection
