#pragma once
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "emulator.hpp"

/// As much of CUDA as the kernels and their check use, for a machine without it: device memory is the host's,
/// and kernels compiled as C++ run by the emulator. Comes in place of NVIDIA's header of this name.

#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __launch_bounds__(threads)

using cudaError_t = int;
using cudaStream_t = void*;
using cudaEvent_t = int;
inline constexpr int cudaSuccess = 0, cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2;
struct cudaDeviceProp {
  char name[32] = "emulator";
  int major = 0, minor = 0;
};

inline const char* cudaGetErrorString(int) { return "failed"; }
inline int cudaGetLastError() { return cudaSuccess; }
inline int cudaGetDeviceCount(int* count) { return *count = 1, cudaSuccess; }
inline int cudaGetDeviceProperties(cudaDeviceProp* properties, int) { return *properties = {}, cudaSuccess; }
template <class T>
int cudaMalloc(T** data, std::size_t bytes) {
  *data = static_cast<T*>(std::malloc(bytes));
  return *data ? cudaSuccess : 1;
}
inline int cudaFree(void* data) { return std::free(data), cudaSuccess; }
inline int cudaMemset(void* data, int value, std::size_t bytes) {
  return std::memset(data, value, bytes), cudaSuccess;
}
inline int cudaMemcpy(void* to, const void* from, std::size_t bytes, int) {
  return std::memcpy(to, from, bytes), cudaSuccess;
}
inline int cudaEventCreate(int*) { return cudaSuccess; }
inline int cudaEventRecord(int) { return cudaSuccess; }
inline int cudaEventSynchronize(int) { return cudaSuccess; }
inline int cudaEventDestroy(int) { return cudaSuccess; }
inline int cudaEventElapsedTime(float* time, int, int) { return *time = 0, cudaSuccess; }

struct EmulatedIndex {
  unsigned x;
};
#define threadIdx (EmulatedIndex{cryoscape::emulator::thread()})
#define blockIdx (EmulatedIndex{cryoscape::emulator::block()})

inline void __syncthreads() { cryoscape::emulator::wait_for_block(); }
inline int __syncthreads_and(int value) { return cryoscape::emulator::all_of_block(value != 0); }
template <class T>
T __shfl_sync(unsigned, T value, int lane) {
  return cryoscape::emulator::exchange(value, static_cast<unsigned>(lane));
}
template <class T>
T __shfl_xor_sync(unsigned, T value, unsigned step) {
  return cryoscape::emulator::exchange(value, (threadIdx.x % 32) ^ step);
}
inline unsigned __ballot_sync(unsigned, bool vote) { return cryoscape::emulator::ballot(vote); }
inline int __popc(unsigned value) { return __builtin_popcount(value); }

using std::isfinite;
using std::max;
using std::min;
