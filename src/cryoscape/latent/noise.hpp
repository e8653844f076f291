#pragma once
#include "cryoscape/latent/posterior.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// Standard normal and standard uniform noise from a generator, in the options' dtype and on their device.
/// Drawn where the generator is and moved, so a seed gives the same numbers on every device.
torch::Tensor normal(c10::IntArrayRef sizes, torch::Generator& generator,
                     const torch::TensorOptions& options);
torch::Tensor uniform(c10::IntArrayRef sizes, torch::Generator& generator,
                      const torch::TensorOptions& options);

/// A tensor's values in single precision, in order in memory: as kernels on the CPU take them.
torch::Tensor float_values(const torch::Tensor& tensor);

/// A seed for counter-based random numbers.
std::uint64_t draw_seed(torch::Generator& generator);

/// Bits that are 1 with probabilities p, of p's shape.
torch::Tensor bernoulli_bits(const torch::Tensor& p, torch::Generator& generator);

/// n indices drawn with replacement with probabilities ∝ weights (K), on the weights' device.
torch::Tensor categorical(const torch::Tensor& weights, std::int64_t n, torch::Generator& generator);

/// One column index (B) per row, drawn with probabilities weights (B, K), which sum to 1 in every row. The
/// rows may be a part of a larger batch.
torch::Tensor choose(const torch::Tensor& weights, torch::Generator& generator, const BatchPart& part = {});

}  // namespace cryoscape::latent
