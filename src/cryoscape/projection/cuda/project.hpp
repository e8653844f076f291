#pragma once
#include "cryoscape/projection/spec.hpp"

namespace cryoscape::projection::cuda {

/// Beads of a batch in device memory, float32, rows contiguous.
struct DeviceBeads {
  int batch = 0, beads = 0;
  const float* amplitudes = nullptr;   ///< (N)
  const float* coordinates = nullptr;  ///< (B, N, 3) Å
  const float* rotations = nullptr;    ///< (B, 3, 3)
  const float* shifts = nullptr;       ///< (B, 2) Å
};

/// projection::project on the current GPU: images (B, D, D) in device memory, overwritten. Asynchronous on
/// `stream` (a cudaStream_t); the same bits in every run. Throws std::runtime_error if a launch is refused.
///
/// Every tile of 32 × 32 pixels gathers its beads, four warps with 8 rows each, 8 sums per thread. A bead of
/// 19 pixels (σ of 2 pixels) meets 2.4 tiles, 5 warps, 1,300 multiply-adds and 160 exponentials, and is
/// placed and tested in all (D/32)² tiles: about 15 cycles of a multiprocessor at D = 128, and no memory
/// traffic but 12 bytes per bead and tile (cached) and the image, written once.
void project(const ProjectionSpec& spec, const DeviceBeads& beads, float* images, void* stream);

/// projection::project_backward: coordinate_gradients (B, N, 3), overwritten, from image_gradients (B, D, D).
///
/// One warp per bead, lanes along x; profiles of the rows are computed once and passed between lanes. A bead
/// of 19 pixels costs 19 loads, 38 multiply-adds and 38 shuffles per lane, and reads 1.4 kB that its
/// neighbours in the block have mostly brought into the cache.
void project_backward(const ProjectionSpec& spec, const DeviceBeads& beads, const float* image_gradients,
                      float* coordinate_gradients, void* stream);

}  // namespace cryoscape::projection::cuda
