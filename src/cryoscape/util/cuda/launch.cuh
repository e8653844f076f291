#pragma once
#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

namespace cryoscape::cuda {

inline constexpr unsigned kWarp = 32, kWholeWarp = 0xffffffffu;

/// Launches a kernel in blocks of so many threads on a stream (a cudaStream_t). Throws std::runtime_error if
/// it is refused.
template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), std::size_t blocks, unsigned threads,
            [[maybe_unused]] void* stream, Arguments... arguments) {
#ifdef __CUDACC__
  kernel<<<static_cast<unsigned>(blocks), threads, 0, static_cast<cudaStream_t>(stream)>>>(arguments...);
#else  // compiled as C++ by the tests, for their emulator
  emulator::launch(static_cast<unsigned>(blocks), threads, [=] { kernel(arguments...); });
#endif
  if (const auto status = cudaGetLastError(); status != cudaSuccess)
    throw std::runtime_error(std::string("CUDA kernel '") + name +
                             "' did not start: " + cudaGetErrorString(status));
}

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
