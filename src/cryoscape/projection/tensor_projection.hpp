#pragma once
#include "cryoscape/projection/spec.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::projection {

/// Beads of a batch as float32 tensors of one device.
struct BeadTensors {
  torch::Tensor amplitudes;   ///< (N)
  torch::Tensor coordinates;  ///< (B, N, 3) Å
  torch::Tensor rotations;    ///< (B, 3, 3)
  torch::Tensor shifts;       ///< (B, 2) Å
};

/// project() (kernel.hpp) where the tensors are, by the CPU's or the GPU's kernel: images (B, D, D). Not
/// differentiable; throws std::logic_error for a device that this build has no kernel for.
torch::Tensor project_tensors(const ProjectionSpec& spec, const BeadTensors& beads);

/// project_backward() likewise: coordinate gradients (B, N, 3) from image gradients (B, D, D).
torch::Tensor project_tensors_backward(const ProjectionSpec& spec, const BeadTensors& beads,
                                       const torch::Tensor& image_gradients);

}  // namespace cryoscape::projection
