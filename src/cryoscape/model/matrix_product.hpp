#pragma once
#include "cryoscape/torch.hpp"

namespace cryoscape::model {

// Matrix products of layers, divided among this program's own threads where they are large: a BLAS's threads
// spin between calls, on the cores that kernels and loader need. Not differentiable. B is the batch.

/// To be called once the number of threads is set. Gives the BLAS one thread: called from several while it
/// has threads of its own, it divides a product by who is idle, and the last bit differs from run to run. And
/// lets it take the memory that it wants for every thread that calls it: OpenBLAS waits forever where it gets
/// none later.
void prepare_matrix_products();

/// What factors and products are rounded to; sums are of float32 either way, and so are inputs and outputs.
enum class Precision { float32, bfloat16 };

/// Whether a device multiplies bfloat16 faster than float32.
bool has_bfloat16(const torch::Device& device);

/// x (B, K), weight (M, K), bias (M) → x weightᵀ + bias (B, M).
torch::Tensor layer_output(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                           Precision precision = Precision::float32);
/// gradient (B, M), weight (M, K) → gradient weight (B, K).
torch::Tensor layer_input_gradient(const torch::Tensor& gradient, const torch::Tensor& weight,
                                   Precision precision = Precision::float32);
/// gradient (B, M), x (B, K) → gradientᵀ x (M, K).
torch::Tensor layer_weight_gradient(const torch::Tensor& gradient, const torch::Tensor& x,
                                    Precision precision = Precision::float32);

}  // namespace cryoscape::model
