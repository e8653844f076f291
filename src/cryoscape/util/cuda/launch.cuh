#pragma once
#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

namespace cryoscape::cuda {

inline constexpr unsigned kWarp = 32, kWholeWarp = 0xffffffffu;

/// Throws std::runtime_error if the launch before it was refused.
inline void check_launch(const char* kernel) {
  if (const auto status = cudaGetLastError(); status != cudaSuccess)
    throw std::runtime_error(std::string("CUDA kernel '") + kernel +
                             "' did not start: " + cudaGetErrorString(status));
}

inline cudaStream_t stream_of(void* stream) { return static_cast<cudaStream_t>(stream); }

inline unsigned blocks_for(std::size_t threads, unsigned block) {
  return static_cast<unsigned>((threads + block - 1) / block);
}

/// Sum over a warp, the same in every lane whatever the order of arrival.
template <class T>
__device__ T sum_of_warp(T value) {
  for (unsigned step = kWarp / 2; step > 0; step /= 2) value += __shfl_xor_sync(kWholeWarp, value, step);
  return value;
}

}  // namespace cryoscape::cuda
