#pragma once
#include "cryoscape/training/adamw_kernel.hpp"

namespace cryoscape::training::cuda {

/// adamw_update on the current GPU: all pointers are device memory. Asynchronous on `stream` (a
/// cudaStream_t). One pass, 28 bytes per parameter: bound by memory. Throws std::runtime_error if the launch
/// is refused.
void adamw_update(const AdamWStep& step, std::size_t count, float* parameters, const float* gradients,
                  float* first, float* second, void* stream);

}  // namespace cryoscape::training::cuda
