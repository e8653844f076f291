#pragma once
#include <span>

#include "cryoscape/structure/restraints.hpp"

namespace cryoscape::report {

/// What structures drawn from a prior are like.
struct SampleQuality {
  double intact = 0;  ///< share of structures without a broken bond or a clash (structure::count_violations)
  double spread = 0;  ///< Å: r.m.s. deviation of the beads from the structures' mean
};

/// Of structures (M, N, 3) Å, as decoded: all in one frame. None where there are no structures.
SampleQuality sample_quality(std::span<const float> structures, const structure::RestraintTopology& topology);

}  // namespace cryoscape::report
