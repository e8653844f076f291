#pragma once
#include <torch/torch.h>

namespace cryoscape::latent {

/// Standard normal and standard uniform noise from a generator, in the options' dtype and on their device.
/// Drawn where the generator is and moved, so a seed gives the same numbers on every device.
torch::Tensor normal(c10::IntArrayRef sizes, torch::Generator& generator,
                     const torch::TensorOptions& options);
torch::Tensor uniform(c10::IntArrayRef sizes, torch::Generator& generator,
                      const torch::TensorOptions& options);

/// n indices drawn with replacement with probabilities ∝ weights (K), on the weights' device.
torch::Tensor categorical(const torch::Tensor& weights, std::int64_t n, torch::Generator& generator);

}  // namespace cryoscape::latent
