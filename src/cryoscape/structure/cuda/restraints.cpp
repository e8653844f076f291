#include "cryoscape/structure/cuda/restraints.hpp"

#include <algorithm>
#include <limits>

#include "cryoscape/structure/cuda/restraint_math.hpp"

namespace cryoscape::structure::cuda {
namespace {

bool all_finite(const float* x, int values) {
  return std::all_of(x, x + values, [](float v) { return std::isfinite(v); });
}

void enclose(const float* x, int beads, BeadBox* boxes) {
  constexpr float kFar = std::numeric_limits<float>::max();
  for (int b = 0; b < box_count(beads); ++b) boxes[b] = {{kFar, kFar, kFar}, {-kFar, -kFar, -kFar}};
  for (int i = 0; i < beads; ++i)
    for (int k = 0; k < 3; ++k) {
      auto& box = boxes[i / kBoxBeads];
      box.low[k] = std::min(box.low[k], x[3 * i + k]);
      box.high[k] = std::max(box.high[k], x[3 * i + k]);
    }
}

void act_on_structure(const RestraintArrays& arrays, const Stiffness& stiffness, const float* x,
                      const BeadBox* boxes, float* gradient, float* energy) {
  for (int i = 0; i < arrays.beads; ++i) {
    float* g = gradient + 3 * i;
    energy[i / kEnergyBeads] += springs_of_bead(arrays, stiffness, x, i, g);
    if (stiffness.clash > 0)
      energy[i / kEnergyBeads] += clashes_of_bead(arrays, stiffness.clash, x, boxes, i, g);
  }
}

}  // namespace

void evaluate_restraints_on_host(const RestraintArrays& arrays, const Stiffness& stiffness, int batch,
                                 const float* coordinates, const RestraintOutput& output) {
  const std::ptrdiff_t values = 3 * static_cast<std::ptrdiff_t>(arrays.beads), edges = arrays.edges;
  const int parts = (arrays.beads + kEnergyBeads - 1) / kEnergyBeads;
  std::fill_n(output.gradient, values * batch, 0.0f);
  std::fill_n(output.energy, static_cast<std::ptrdiff_t>(parts) * batch, 0.0f);
  std::fill_n(output.moments, 2 * edges * kMomentParts, 0.0f);
  for (int s = 0; s < batch; ++s) {
    const float* x = coordinates + values * s;
    float* energy = output.energy + static_cast<std::ptrdiff_t>(parts) * s;
    output.finite[s] = all_finite(x, static_cast<int>(values)) ? 1 : 0;
    if (!output.finite[s]) {
      std::fill_n(energy, parts, std::numeric_limits<float>::quiet_NaN());
      continue;
    }
    BeadBox* boxes = output.boxes + static_cast<std::ptrdiff_t>(box_count(arrays.beads)) * s;
    enclose(x, arrays.beads, boxes);
    act_on_structure(arrays, stiffness, x, boxes, output.gradient + values * s, energy);
    float* sums = output.moments + 2 * edges * (s % kMomentParts);
    for (std::ptrdiff_t e = 0; e < edges; ++e) {
      const float off = deviation(x, arrays.pairs[e]);
      sums[e] += off;
      sums[edges + e] += off * off;
    }
  }
}

}  // namespace cryoscape::structure::cuda
