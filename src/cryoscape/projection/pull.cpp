#include <algorithm>
#include <numbers>

#include "cryoscape/projection/vectors.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cryoscape/projection/pull.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "cryoscape/projection/profiles-inl.hpp"

// The adjoint of drawing, compiled once per instruction set.
HWY_BEFORE_NAMESPACE();
namespace cryoscape::projection::HWY_NAMESPACE {

// Beads whose tables are made together: enough to fill vectors, few enough to stay in the first cache.
constexpr std::size_t kPullRun = 16;

// Keeps a loaded vector in its register: gcc otherwise loads it anew for every use, and loads are what limits
// PullVectors.
static HWY_INLINE hn::Vec<V8> InRegister(hn::Vec<V8> v) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  asm("" : "+x"(v.raw));
#endif
  return v;
}

// Sums over rows of G vectors of an image, weighted by a bead's profile g along y and by its slope h.
template <int G>
struct RowSums {
  hn::Vec<V8> ga, gb, gc, ha, hb, hc;

  HWY_INLINE RowSums() { ga = gb = gc = ha = hb = hc = hn::Zero(V8()); }
  HWY_INLINE void Add(const float* HWY_RESTRICT image, float g, float h) {
    const V8 d;
    const std::size_t lanes = hn::Lanes(d);
    const auto wg = hn::Set(d, g), wh = hn::Set(d, h);
    const auto a = InRegister(hn::LoadU(d, image));
    ga = hn::MulAdd(a, wg, ga), ha = hn::MulAdd(a, wh, ha);
    if constexpr (G > 1) {
      const auto b = InRegister(hn::LoadU(d, image + lanes));
      gb = hn::MulAdd(b, wg, gb), hb = hn::MulAdd(b, wh, hb);
    }
    if constexpr (G > 2) {
      const auto c = InRegister(hn::LoadU(d, image + 2 * lanes));
      gc = hn::MulAdd(c, wg, gc), hc = hn::MulAdd(c, wh, hc);
    }
  }
};

// Adds to along_x = Σ image·hx·gy and along_y = Σ image·gx·hy over G vectors of `rows` rows, with hx =
// gx·ahead, the first vector's distances from the bead and so on. Two rows at a time hide the latency of the
// multiply-add.
template <int G>
static HWY_INLINE void PullVectors(const float* HWY_RESTRICT image, std::ptrdiff_t stride,
                                   const float* HWY_RESTRICT gy, const float* HWY_RESTRICT hy, int rows,
                                   const float* HWY_RESTRICT gx, hn::Vec<V8> ahead, hn::Vec<V8>& along_x,
                                   hn::Vec<V8>& along_y) {
  const V8 d;
  const std::size_t lanes = hn::Lanes(d);
  RowSums<G> even, odd;
  int y = 0;
  for (; y + 2 <= rows; y += 2, image += 2 * stride) {
    even.Add(image, gy[y], hy[y]);
    odd.Add(image + stride, gy[y + 1], hy[y + 1]);
  }
  if (y < rows) even.Add(image, gy[y], hy[y]);
  const auto weigh = [&](auto g, auto h, std::size_t j) HWY_ATTR {
    const auto profile = hn::LoadU(d, gx + j);
    const auto offset = hn::Add(ahead, hn::Set(d, static_cast<float>(j)));
    along_x = hn::MulAdd(hn::Mul(g, profile), offset, along_x);
    along_y = hn::MulAdd(h, profile, along_y);
  };
  weigh(hn::Add(even.ga, odd.ga), hn::Add(even.ha, odd.ha), 0);
  if constexpr (G > 1) weigh(hn::Add(even.gb, odd.gb), hn::Add(even.hb, odd.hb), lanes);
  if constexpr (G > 2) weigh(hn::Add(even.gc, odd.gc), hn::Add(even.hc, odd.hc), 2 * lanes);
}

// Prepares the windows of `count` beads, profiles and slopes along both axes.
static void FillWindows(const WindowPlan& plan, const PlacedBead* beads, std::size_t count, Tables& tables) {
  const int lanes = plan.lanes, stride = plan.window_floats;
  PrepareAxis<true>(plan, beads, count, 0, 0, 1, tables.x, tables.first_columns.data());
  PrepareAxis<true>(plan, beads, count, 1, 0, 1, tables.y, tables.first_rows.data());
  InGroups(stride / lanes, [&]<int G>(int v) HWY_ATTR {
    FillProfiles<G>(plan, tables.x, count, v * lanes, 1, nullptr, tables.columns.data(), stride);
    FillProfiles<G>(plan, tables.y, count, v * lanes, 1, nullptr, tables.rows.data(), stride);
    FillSlopes<G>(tables.y, count, v * lanes, tables.rows.data(), tables.row_slopes.data(), stride);
  });
}

static void Pull(const WindowPlan& plan, const BeadOrder& order, const float* rotation, Tables& tables,
                 const Frame& frame, float* gradient) {
  const V8 d;
  const int lanes = plan.lanes, vectors = plan.window_floats / lanes;
  const float norm =
      plan.inverse_sigma2 * plan.inverse_sigma2 / (2 * std::numbers::pi_v<float> * plan.spec.pixel_size);
  const std::size_t visible = order.visible(), stride = plan.window_floats;
  HWY_ALIGN float sums_x[kPullRun * 8], sums_y[kPullRun * 8];
  tables.resize(plan, kPullRun);
  for (std::size_t begin = 0; begin < visible; begin += kPullRun) {
    const PlacedBead* beads = order.sorted.data() + begin;
    const std::size_t count = std::min(kPullRun, visible - begin);
    FillWindows(plan, beads, count, tables);
    for (std::size_t n = 0; n < count; ++n) {
      const int first_row = tables.first_rows[n], skipped = std::max(0, -first_row);
      const int rows = std::min(plan.width, plan.spec.box - first_row) - skipped;
      const float* image = frame.at(tables.first_columns[n], first_row + skipped);
      const float* gx = tables.columns.data() + n * stride;
      const auto ahead = hn::Add(hn::Iota(d, 0.0f), hn::Set(d, tables.x.offset[n]));
      const float *gy = tables.rows.data() + n * stride + skipped,
                  *hy = tables.row_slopes.data() + n * stride + skipped;
      auto along_x = hn::Zero(d), along_y = hn::Zero(d);
      InGroups(vectors, [&]<int G>(int v) HWY_ATTR {
        const std::ptrdiff_t i = static_cast<std::ptrdiff_t>(v) * lanes;
        PullVectors<G>(image + i, frame.stride, gy, hy, rows, gx + i,
                       hn::Add(ahead, hn::Set(d, static_cast<float>(i))), along_x, along_y);
      });
      hn::StoreU(along_x, d, sums_x + n * lanes);
      hn::StoreU(along_y, d, sums_y + n * lanes);
    }
    for (std::size_t n = 0; n < count; ++n) {
      const float scale = norm * beads[n].amplitude;
      const float to_x = scale * hn::GetLane(hn::SumOfLanes(d, hn::LoadU(d, sums_x + n * lanes)));
      const float to_y = scale * hn::GetLane(hn::SumOfLanes(d, hn::LoadU(d, sums_y + n * lanes)));
      float* out = gradient + 3 * static_cast<std::ptrdiff_t>(beads[n].index);
      for (int c = 0; c < 3; ++c) out[c] = rotation[c] * to_x + rotation[3 + c] * to_y;
    }
  }
}

}  // namespace cryoscape::projection::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cryoscape::projection {
HWY_EXPORT(Pull);

void pull_beads(const WindowPlan& plan, const BeadOrder& order, const float* rotation, Tables& tables,
                const Frame& frame, float* gradient) {
  HWY_DYNAMIC_DISPATCH(Pull)(plan, order, rotation, tables, frame, gradient);
}

}  // namespace cryoscape::projection
#endif  // HWY_ONCE
