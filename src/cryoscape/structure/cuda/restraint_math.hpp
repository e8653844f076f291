#pragma once
#include <cstdint>

#include "cryoscape/structure/cuda/restraint_arrays.hpp"
#include "cryoscape/util/cuda/host_device.hpp"

/// What one GPU thread computes of the restraints, as functions that the host can run too: the energy of
/// RestraintEvaluator (restraints.hpp), gathered bead by bead. Every pair is seen from both of its beads and
/// gives each half of its energy and the bead's own pull, so nothing is scattered and sums have one order.
namespace cryoscape::structure::cuda {

/// Offset and distance of bead a from bead b, Å.
struct Separation {
  float x, y, z, square;
};

CRYOSCAPE_HOST_DEVICE inline Separation separation(const float* a, const float* b) {
  const float x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
  return {x, y, z, x * x + y * y + z * z};
}

CRYOSCAPE_HOST_DEVICE inline void add_pull(const Separation& s, float factor, float* gradient) {
  gradient[0] += factor * s.x, gradient[1] += factor * s.y, gradient[2] += factor * s.z;
}

/// d − d₀ of a pair in one structure (N, 3).
CRYOSCAPE_HOST_DEVICE inline float deviation(const float* x, const EdgePair& pair) {
  return sqrtf(separation(x + 3 * pair.i, x + 3 * pair.j).square) - pair.distance;
}

/// Half of k(d − d₀)² of a pair, adding its gradient by bead a.
CRYOSCAPE_HOST_DEVICE inline float half_spring(const float* a, const float* b, float distance,
                                               float stiffness, float* gradient) {
  const auto s = separation(a, b);
  const float d = sqrtf(s.square), off = d - distance;
  add_pull(s, 2 * stiffness * off / fmaxf(d, 1e-6f), gradient);
  return 0.5f * stiffness * off * off;
}

/// Bonds and elastic edges of bead i.
CRYOSCAPE_HOST_DEVICE inline float springs_of_bead(const RestraintArrays& arrays, const Stiffness& stiffness,
                                                   const float* x, int i, float* gradient) {
  float energy = 0;
  for (std::int32_t k = arrays.start[i]; k < arrays.start[i + 1]; ++k) {
    const Neighbour n = arrays.neighbours[k];
    const float factor = n.edge < 0 ? stiffness.bond : stiffness.edge * arrays.mask[n.edge];
    energy += half_spring(x + 3 * i, x + 3 * n.partner, n.distance, factor, gradient);
  }
  return energy;
}

/// RestraintTopology::clash_limit of beads in any order.
CRYOSCAPE_HOST_DEVICE inline float clash_limit(const RestraintArrays& arrays, int a, int b) {
  const int i = a < b ? a : b, j = a < b ? b : a;
  for (std::int32_t k = arrays.own_limit_start[i]; k < arrays.own_limit_start[i + 1]; ++k)
    if (arrays.own_limits[k].partner == j) return arrays.own_limits[k].distance;
  return arrays.clash_radii[i] + arrays.clash_radii[j];
}

/// Half of k·overlap² of beads i and j, adding its gradient by bead i.
CRYOSCAPE_HOST_DEVICE inline float half_clash(const RestraintArrays& arrays, float stiffness, const float* x,
                                              int i, int j, float* gradient) {
  const auto s = separation(x + 3 * i, x + 3 * j);
  if (!(s.square < arrays.clash_distance * arrays.clash_distance)) return 0;
  const float d = sqrtf(s.square), overlap = clash_limit(arrays, i, j) - d;
  if (overlap <= 0) return 0;
  add_pull(s, -2 * stiffness * overlap / fmaxf(d, 1e-6f), gradient);
  return 0.5f * stiffness * overlap * overlap;
}

/// Neighbours along the chain are neighbours in space: beads meet only where the boxes about groups of
/// kBoxBeads consecutive ones come within the clash distance.
CRYOSCAPE_HOST_DEVICE inline bool boxes_meet(const BeadBox& a, const BeadBox& b, float margin) {
  for (int k = 0; k < 3; ++k)
    if (a.low[k] > b.high[k] + margin || b.low[k] > a.high[k] + margin) return false;
  return true;
}

CRYOSCAPE_HOST_DEVICE inline int box_count(int beads) { return (beads + kBoxBeads - 1) / kBoxBeads; }

/// Clashes of bead i; boxes of this structure.
CRYOSCAPE_HOST_DEVICE inline float clashes_of_bead(const RestraintArrays& arrays, float stiffness,
                                                   const float* x, const BeadBox* boxes, int i,
                                                   float* gradient) {
  float energy = 0;
  const BeadBox own = boxes[i / kBoxBeads];
  for (int box = 0; box < box_count(arrays.beads); ++box) {
    if (!boxes_meet(own, boxes[box], arrays.clash_distance)) continue;
    const int begin = box * kBoxBeads,
              end = begin + kBoxBeads < arrays.beads ? begin + kBoxBeads : arrays.beads;
    for (int j = begin; j < end; ++j)
      if (j != i) energy += half_clash(arrays, stiffness, x, i, j, gradient);
  }
  return energy;
}

}  // namespace cryoscape::structure::cuda
