#include "cryoscape/density/curved_kernel.hpp"

#include <cmath>
#include <cstddef>

// foreach_target.h must come first.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cryoscape/density/curved_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

// Compiled once per instruction set.
HWY_BEFORE_NAMESPACE();
namespace cryoscape::density::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

static void AddCurvedRow(const CurvedRow& row) {
  const hn::CappedTag<float, kGroup> d;
  const hn::RebindToSigned<decltype(d)> di;
  const auto last = hn::Set(d, static_cast<float>(row.side - 1)), zero = hn::Zero(d);
  const auto width = hn::Set(di, row.side), area = hn::Set(di, row.side * row.side);
  for (int x = row.begin; x < row.end; ++x) {
    const float* const node = row.nodes + static_cast<std::ptrdiff_t>(row.cell[x]) * 2 * kGroup;
    const auto at = hn::Set(d, static_cast<float>(x)), part = hn::Set(d, row.part[x]);
    float sum = 0;
    for (int lane = 0; lane < kGroup; lane += static_cast<int>(hn::Lanes(d))) {
      const auto place = [&](int axis) HWY_ATTR {
        const auto before = hn::LoadU(d, node + axis * kGroup + lane);
        const auto after = hn::LoadU(d, node + (2 + axis) * kGroup + lane);
        const auto straight = hn::MulAdd(at, hn::LoadU(d, row.step + axis * kGroup + lane),
                                         hn::LoadU(d, row.start + axis * kGroup + lane));
        return hn::Add(straight, hn::MulAdd(part, hn::Sub(after, before), before));
      };
      const auto px = place(0), py = place(1);
      const auto inside =
          hn::And(hn::And(hn::Ge(px, zero), hn::Ge(py, zero)), hn::And(hn::Lt(px, last), hn::Lt(py, last)));
      // Outside the first pixel is read, and left out of the sum.
      const auto ix = hn::ConvertTo(di, hn::IfThenElseZero(inside, px)),
                 iy = hn::ConvertTo(di, hn::IfThenElseZero(inside, py));
      const auto fx = hn::Sub(px, hn::ConvertTo(d, ix)), fy = hn::Sub(py, hn::ConvertTo(d, iy));
      const auto image = hn::Mul(hn::Iota(di, lane), area);
      const auto index = hn::Add(image, hn::Add(hn::Mul(iy, width), ix));
      const auto a = hn::GatherIndex(d, row.pixels, index), b = hn::GatherIndex(d, row.pixels + 1, index);
      const auto c = hn::GatherIndex(d, row.pixels + row.side, index),
                 e = hn::GatherIndex(d, row.pixels + row.side + 1, index);
      const auto above = hn::MulAdd(fx, hn::Sub(b, a), a), below = hn::MulAdd(fx, hn::Sub(e, c), c);
      const auto value = hn::IfThenElseZero(inside, hn::MulAdd(fy, hn::Sub(below, above), above));
      sum += hn::GetLane(hn::SumOfLanes(d, value));
    }
    row.out[x] += sum;
  }
}

}  // namespace cryoscape::density::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cryoscape::density {
HWY_EXPORT(AddCurvedRow);

void add_curved_row(const CurvedRow& row) { HWY_DYNAMIC_DISPATCH(AddCurvedRow)(row); }

void add_curved_row_reference(const CurvedRow& row) {
  for (int x = row.begin; x < row.end; ++x) {
    const float* node = row.nodes + static_cast<std::ptrdiff_t>(row.cell[x]) * 2 * kGroup;
    double sum = 0;
    for (int g = 0; g < kGroup; ++g) {
      double p[2];
      for (int axis = 0; axis < 2; ++axis) {
        const double before = node[axis * kGroup + g], after = node[(2 + axis) * kGroup + g];
        p[axis] = row.start[axis * kGroup + g] + x * double{row.step[axis * kGroup + g]} + before +
                  row.part[x] * (after - before);
      }
      if (!(p[0] >= 0 && p[1] >= 0 && p[0] < row.side - 1 && p[1] < row.side - 1)) continue;
      const int ix = static_cast<int>(p[0]), iy = static_cast<int>(p[1]);
      const double fx = p[0] - ix, fy = p[1] - iy;
      const float* at = row.pixels + (static_cast<std::ptrdiff_t>(g) * row.side + iy) * row.side + ix;
      sum +=
          (1 - fy) * ((1 - fx) * at[0] + fx * at[1]) + fy * ((1 - fx) * at[row.side] + fx * at[row.side + 1]);
    }
    row.out[x] += static_cast<float>(sum);
  }
}

}  // namespace cryoscape::density
#endif  // HWY_ONCE
