#pragma once
#include "cryoscape/density/accumulator.hpp"

namespace cryoscape::density {

/// Samples of one row whose grid points lie in one slab: number k stands at start + k · step, in grid steps
/// from the corner of the first plane, all coordinates ≥ 0.
struct SampleRun {
  const Sample* samples;
  int count;
  std::array<float, 3> start, step;
  int first, last;  ///< z is taken into [first, last): rounding must not lead out of the slab
  bool conjugate;   ///< the points are those of the samples' conjugates
};

/// Spreads a run over the grid's points around each sample.
void spread_run(const SampleRun& run, int side, Sample* voxels);

}  // namespace cryoscape::density
