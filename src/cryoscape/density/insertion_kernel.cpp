#include "cryoscape/density/insertion_kernel.hpp"

#include <algorithm>

// foreach_target.h must come first.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cryoscape/density/insertion_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

// Compiled once per instruction set.
HWY_BEFORE_NAMESPACE();
namespace cryoscape::density::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// One grid point is one vector of four floats, or four of one where there are no vectors.
static void SpreadRun(const SampleRun& run, int side, Sample* HWY_RESTRICT voxels) {
  const hn::CappedTag<float, 4> d;
  HWY_ALIGN const float signs[4] = {1, run.conjugate ? -1.0f : 1.0f, 1, 0};
  const std::size_t row = 4 * static_cast<std::size_t>(side), plane = row * side;
  float* const grid = reinterpret_cast<float*>(voxels);
  for (int k = 0; k < run.count; ++k) {
    const auto n = static_cast<float>(k);
    const float x = run.start[0] + n * run.step[0], y = run.start[1] + n * run.step[1],
                z = run.start[2] + n * run.step[2];
    const int ix = static_cast<int>(x), iy = static_cast<int>(y),
              iz = std::clamp(static_cast<int>(z), run.first, run.last - 1);
    const float fx = x - static_cast<float>(ix), fy = y - static_cast<float>(iy),
                fz = z - static_cast<float>(iz);
    float* const near = grid + iz * plane + iy * row + 4 * static_cast<std::size_t>(ix);
    const float* const sample = reinterpret_cast<const float*>(run.samples + k);
    for (std::size_t lane = 0; lane < 4; lane += hn::Lanes(d)) {
      const auto value = hn::Mul(hn::Load(d, signs + lane), hn::Load(d, sample + lane));
      const auto right = hn::Mul(value, hn::Set(d, fx)), left = hn::Sub(value, right);
      const auto add = [&](float* at, float weight) HWY_ATTR {
        const auto w = hn::Set(d, weight);
        hn::Store(hn::MulAdd(left, w, hn::Load(d, at)), d, at);
        hn::Store(hn::MulAdd(right, w, hn::Load(d, at + 4)), d, at + 4);
      };
      float* const at = near + lane;
      add(at, (1 - fy) * (1 - fz));
      add(at + row, fy * (1 - fz));
      add(at + plane, (1 - fy) * fz);
      add(at + plane + row, fy * fz);
    }
  }
}

}  // namespace cryoscape::density::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cryoscape::density {
HWY_EXPORT(SpreadRun);

void spread_run(const SampleRun& run, int side, Sample* voxels) {
  HWY_DYNAMIC_DISPATCH(SpreadRun)(run, side, voxels);
}

}  // namespace cryoscape::density
#endif  // HWY_ONCE
