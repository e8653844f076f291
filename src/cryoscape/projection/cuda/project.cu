#include "cryoscape/projection/cuda/bead_math.hpp"
#include "cryoscape/projection/cuda/project.hpp"
#include "cryoscape/util/cuda/launch.cuh"

namespace cryoscape::projection::cuda {
namespace {

using cryoscape::cuda::kWarp;
using cryoscape::cuda::kWholeWarp;

constexpr int kTile = 32, kRows = 8, kDrawWarps = kTile / kRows, kDrawThreads = 32 * kDrawWarps;
constexpr int kChunk = 32;  ///< beads whose profiles are in shared memory at a time
constexpr int kPullWarps = 8;

struct ListedBead {
  float x, y, weight;
  int column, row;
};

/// Beads [begin, begin + kDrawThreads) that meet the tile, in their order. Returns how many; ends
/// synchronised.
__device__ int list_beads(const Grid& grid, const View& view, const DeviceBeads& beads,
                          const float* coordinates, int begin, int first_column, int first_row,
                          ListedBead* list, int* counts) {
  const int n = begin + static_cast<int>(threadIdx.x), lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  Spot spot;
  if (n < beads.beads) spot = place(grid, view, coordinates + 3 * static_cast<long long>(n));
  const bool here = spot.visible && meets(spot.column, grid.reach, first_column, kTile) &&
                    meets(spot.row, grid.reach, first_row, kTile);
  const unsigned votes = __ballot_sync(kWholeWarp, here);
  if (lane == 0) counts[warp] = __popc(votes);
  __syncthreads();
  int at = __popc(votes & ((1u << lane) - 1)), total = 0;
  for (int w = 0; w < kDrawWarps; ++w) {
    if (w < warp) at += counts[w];
    total += counts[w];
  }
  if (here) list[at] = {spot.x, spot.y, drawn_weight(grid, beads.amplitudes[n]), spot.column, spot.row};
  __syncthreads();
  return total;
}

__global__ void __launch_bounds__(kDrawThreads)
    draw(const Grid grid, const DeviceBeads beads, int tiles, float* images) {
  __shared__ ListedBead list[kDrawThreads];
  __shared__ float columns[kChunk][kTile];
  __shared__ __align__(16) float rows[kChunk][kTile];
  __shared__ int counts[kDrawWarps];
  const int tile = blockIdx.x % (tiles * tiles), lane = threadIdx.x % kWarp;
  const long long particle = blockIdx.x / (tiles * tiles);
  const int first_column = tile % tiles * kTile, first_row = tile / tiles * kTile;
  const int own_row = threadIdx.x / kWarp * kRows;  // of the tile
  const View view = view_of(grid, beads.rotations + 9 * particle, beads.shifts + 2 * particle);
  const float* coordinates = beads.coordinates + 3 * beads.beads * particle;
  float sums[kRows] = {};
  for (int begin = 0; begin < beads.beads; begin += kDrawThreads) {
    const int total =
        list_beads(grid, view, beads, coordinates, begin, first_column, first_row, list, counts);
    for (int from = 0; from < total; from += kChunk) {
      const int size = min(kChunk, total - from);
      for (int i = threadIdx.x; i < size * kTile; i += kDrawThreads) {
        const ListedBead bead = list[from + i / kTile];
        const int pixel = i % kTile;
        columns[i / kTile][pixel] = bead.weight * profile(grid, bead.x, bead.column, first_column + pixel);
        rows[i / kTile][pixel] = profile(grid, bead.y, bead.row, first_row + pixel);
      }
      __syncthreads();
      for (int k = 0; k < size; ++k)
        if (meets(list[from + k].row, grid.reach, first_row + own_row, kRows))  // the same for a whole warp
          add_bead<kRows>(columns[k][lane], rows[k] + own_row, sums);
      __syncthreads();
    }
  }
  const int column = first_column + lane;
  if (column >= grid.box) return;
  for (int r = 0; r < kRows; ++r)
    if (const int row = first_row + own_row + r; row < grid.box)
      images[(particle * grid.box + row) * grid.box + column] = sums[r];
}

/// Sums over one bead's window, this lane's columns.
__device__ Pull pull_window(const Grid& grid, const Spot& spot, const float* image, int lane) {
  const int width = 2 * grid.reach + 1, first_column = spot.column - grid.reach,
            first_row = spot.row - grid.reach;
  Pull pull;
  for (int from_column = 0; from_column < width; from_column += kWarp) {
    const int column = first_column + from_column + lane;
    const bool inside = column >= 0 && column < grid.box;
    const float gx = profile(grid, spot.x, spot.column, column);
    const float hx = gx * (static_cast<float>(column) - spot.x);
    ColumnSums sums;
    for (int from_row = 0; from_row < width; from_row += kWarp) {
      const int lanes_row = first_row + from_row + lane;
      const float lanes_g = profile(grid, spot.y, spot.row, lanes_row);
      const float lanes_h = lanes_g * (static_cast<float>(lanes_row) - spot.y);
      const int count = min(static_cast<int>(kWarp), width - from_row);
      for (int r = 0; r < count; ++r) {
        const float gy = __shfl_sync(kWholeWarp, lanes_g, r), hy = __shfl_sync(kWholeWarp, lanes_h, r);
        const int row = first_row + from_row + r;
        if (inside && gx > 0 && row >= 0 && row < grid.box) sums.add(image[row * grid.box + column], gy, hy);
      }
    }
    pull.add(sums, gx, hx);
  }
  return pull;
}

__global__ void __launch_bounds__(32 * kPullWarps)
    pull_beads(const Grid grid, const DeviceBeads beads, int groups, const float* image_gradients,
               float* coordinate_gradients) {
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  const int n = static_cast<int>(blockIdx.x % groups) * kPullWarps + warp;
  if (n >= beads.beads) return;  // a whole warp
  const long long particle = blockIdx.x / groups, bead = particle * beads.beads + n;
  const View view = view_of(grid, beads.rotations + 9 * particle, beads.shifts + 2 * particle);
  const Spot spot = place(grid, view, beads.coordinates + 3 * bead);
  Pull pull;
  if (spot.visible) {
    pull = pull_window(grid, spot, image_gradients + particle * grid.box * grid.box, lane);
    pull.x = cryoscape::cuda::sum_of_warp(pull.x);
    pull.y = cryoscape::cuda::sum_of_warp(pull.y);
  }
  if (lane < 3)
    coordinate_gradients[3 * bead + lane] = coordinate_gradient(grid, view, beads.amplitudes[n], pull, lane);
}

}  // namespace

void project(const ProjectionSpec& spec, const DeviceBeads& beads, float* images, void* stream) {
  if (beads.batch == 0) return;
  const Grid grid = make_grid(spec);
  const int tiles = (spec.box + kTile - 1) / kTile;
  cryoscape::cuda::launch("draw beads", draw, static_cast<std::size_t>(beads.batch) * tiles * tiles,
                          kDrawThreads, stream, grid, beads, tiles, images);
}

void project_backward(const ProjectionSpec& spec, const DeviceBeads& beads, const float* image_gradients,
                      float* coordinate_gradients, void* stream) {
  if (beads.batch == 0 || beads.beads == 0) return;
  const int groups = (beads.beads + kPullWarps - 1) / kPullWarps;
  cryoscape::cuda::launch("pull beads", pull_beads, static_cast<std::size_t>(beads.batch) * groups,
                          32 * kPullWarps, stream, make_grid(spec), beads, groups, image_gradients,
                          coordinate_gradients);
}

}  // namespace cryoscape::projection::cuda
