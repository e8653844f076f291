#include "cryoscape/structure/cuda/restraint_math.hpp"
#include "cryoscape/structure/cuda/restraints.hpp"
#include "cryoscape/util/cuda/launch.cuh"

namespace cryoscape::structure::cuda {
namespace {

using cryoscape::cuda::kWarp;
using cryoscape::cuda::kWholeWarp;

constexpr int kSurveyThreads = 128, kMomentThreads = 128;
static_assert(kBoxBeads == kWarp, "a warp encloses one box");

__device__ float least_of_warp(float v) {
  for (unsigned step = kWarp / 2; step > 0; step /= 2) v = fminf(v, __shfl_xor_sync(kWholeWarp, v, step));
  return v;
}

/// One block per structure: whether it is finite, and its boxes.
__global__ void __launch_bounds__(kSurveyThreads)
    survey(const RestraintArrays arrays, const float* coordinates, const RestraintOutput output) {
  const long long structure = blockIdx.x;
  const float* x = coordinates + 3 * arrays.beads * structure;
  BeadBox* boxes = output.boxes + box_count(arrays.beads) * structure;
  const int lane = threadIdx.x % kWarp;
  bool finite = true;
  for (int b = threadIdx.x / kWarp; b < box_count(arrays.beads); b += kSurveyThreads / kWarp) {
    const int i = min(b * kBoxBeads + lane, arrays.beads - 1);
    for (int k = 0; k < 3; ++k) {
      const float v = x[3 * i + k];
      finite = finite && isfinite(v);
      const float low = least_of_warp(v), high = -least_of_warp(-v);
      if (lane == 0) boxes[b].low[k] = low, boxes[b].high[k] = high;
    }
  }
  const int all = __syncthreads_and(finite);
  if (threadIdx.x == 0) output.finite[structure] = all ? 1 : 0;
}

/// One thread per structure and bead.
__global__ void __launch_bounds__(kEnergyBeads)
    act(const RestraintArrays arrays, const Stiffness stiffness, int parts, const float* coordinates,
        const RestraintOutput output) {
  __shared__ double sums[kEnergyBeads / kWarp];
  const long long structure = blockIdx.x / parts;
  const int part = blockIdx.x % parts, i = part * kEnergyBeads + threadIdx.x;
  const bool finite = output.finite[structure] != 0;
  const float* x = coordinates + 3 * arrays.beads * structure;
  const BeadBox* boxes = output.boxes + box_count(arrays.beads) * structure;
  float gradient[3] = {}, energy = 0;
  if (finite && i < arrays.beads) {
    energy = springs_of_bead(arrays, stiffness, x, i, gradient);
    if (stiffness.clash > 0) energy += clashes_of_bead(arrays, stiffness.clash, x, boxes, i, gradient);
  }
  if (i < arrays.beads)
    for (int k = 0; k < 3; ++k) output.gradient[3 * (arrays.beads * structure + i) + k] = gradient[k];
  const double of_warp = cryoscape::cuda::sum_of_warp(static_cast<double>(energy));
  if (threadIdx.x % kWarp == 0) sums[threadIdx.x / kWarp] = of_warp;
  __syncthreads();
  if (threadIdx.x > 0) return;
  double total = 0;
  for (const double sum : sums) total += sum;
  output.energy[blockIdx.x] = finite ? static_cast<float>(total) : nanf("");
}

/// One thread per edge and part of the structures.
__global__ void __launch_bounds__(kMomentThreads)
    sum_moments(const RestraintArrays arrays, int batch, const float* coordinates,
                const RestraintOutput output) {
  const int blocks = (arrays.edges + kMomentThreads - 1) / kMomentThreads;
  const int part = blockIdx.x / blocks, e = blockIdx.x % blocks * kMomentThreads + threadIdx.x;
  if (e >= arrays.edges) return;
  const EdgePair pair = arrays.pairs[e];
  float sum = 0, square = 0;
  for (int s = part; s < batch; s += kMomentParts) {
    if (!output.finite[s]) continue;
    const float off = deviation(coordinates + 3ll * arrays.beads * s, pair);
    sum += off;
    square += off * off;
  }
  float* sums = output.moments + 2ll * arrays.edges * part;
  sums[e] = sum;
  sums[arrays.edges + e] = square;
}

}  // namespace

void evaluate_restraints(const RestraintArrays& arrays, const Stiffness& stiffness, int batch,
                         const float* coordinates, const RestraintOutput& output, void* stream) {
  const std::size_t structures = static_cast<std::size_t>(batch);
  if (batch > 0 && arrays.beads > 0) {
    cryoscape::cuda::launch("survey of structures", survey, structures, kSurveyThreads, stream, arrays,
                            coordinates, output);
    const int parts = (arrays.beads + kEnergyBeads - 1) / kEnergyBeads;
    cryoscape::cuda::launch("restraints", act, structures * parts, kEnergyBeads, stream, arrays, stiffness,
                            parts, coordinates, output);
  }
  if (arrays.edges > 0)
    cryoscape::cuda::launch("moments of edges", sum_moments,
                            cryoscape::cuda::blocks_for(arrays.edges, kMomentThreads) * kMomentParts,
                            kMomentThreads, stream, arrays, batch, coordinates, output);
}

}  // namespace cryoscape::structure::cuda
