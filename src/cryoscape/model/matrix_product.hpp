#pragma once
#include <torch/torch.h>

namespace cryoscape::model {

// Matrix products of layers, divided among this program's own threads where they are large: a BLAS's threads
// spin between calls, on the cores that kernels and loader need. Not differentiable. B is the batch.

/// To be called once the number of threads is set. Gives the BLAS one thread: called from several while it
/// has threads of its own, it divides a product by who is idle, and the last bit differs from run to run. And
/// lets it take the memory that it wants for every thread that calls it: OpenBLAS waits forever where it gets
/// none later.
void prepare_matrix_products();

/// x (B, K), weight (M, K), bias (M) → x weightᵀ + bias (B, M).
torch::Tensor layer_output(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias);
/// gradient (B, M), weight (M, K) → gradient weight (B, K).
torch::Tensor layer_input_gradient(const torch::Tensor& gradient, const torch::Tensor& weight);
/// gradient (B, M), x (B, K) → gradientᵀ x (M, K).
torch::Tensor layer_weight_gradient(const torch::Tensor& gradient, const torch::Tensor& x);

}  // namespace cryoscape::model
