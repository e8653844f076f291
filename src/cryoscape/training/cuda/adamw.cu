#include "cryoscape/training/cuda/adamw.hpp"

#include "cryoscape/training/cuda/adamw_math.hpp"
#include "cryoscape/util/cuda/launch.cuh"

namespace cryoscape::training::cuda {
namespace {

constexpr unsigned kThreads = 256;

__global__ void __launch_bounds__(kThreads) update(const AdamWStep step, std::size_t count, float* parameters,
                                                   const float* gradients, float* first, float* second) {
  const std::size_t k = static_cast<std::size_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (k < count) adamw_element(step, parameters[k], gradients[k], first[k], second[k]);
}

}  // namespace

void adamw_update(const AdamWStep& step, std::size_t count, float* parameters, const float* gradients,
                  float* first, float* second, void* stream) {
  if (count == 0) return;
  cryoscape::cuda::launch("AdamW", update, cryoscape::cuda::blocks_for(count, kThreads), kThreads, stream,
                          step, count, parameters, gradients, first, second);
}

}  // namespace cryoscape::training::cuda
