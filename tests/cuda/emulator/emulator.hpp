#pragma once
#include <cstring>
#include <functional>

/// Runs CUDA kernels on the CPU, a block at a time, each thread a fiber of its own that goes on until it
/// meets a barrier: the same indices, shared memory, barriers and warp exchanges as on a GPU, so that a
/// kernel's logic can be tested without one. Fibers run in turn, in opposite orders in every other block, so
/// that a missing barrier shows.
namespace cryoscape::emulator {

/// Runs body once in every thread of every block.
void launch(unsigned blocks, unsigned threads, std::function<void()> body);

/// Indices of the fiber that runs.
unsigned thread();
unsigned block();

void wait_for_block();
bool all_of_block(bool value);
unsigned ballot(bool vote);

/// Gives 8 bytes to the warp and takes those of a lane.
void exchange_bytes(void* bytes, unsigned lane);

template <class T>
T exchange(T value, unsigned lane) {
  static_assert(sizeof(T) <= 8);
  char bytes[8] = {};
  std::memcpy(bytes, &value, sizeof value);
  exchange_bytes(bytes, lane);
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace cryoscape::emulator
