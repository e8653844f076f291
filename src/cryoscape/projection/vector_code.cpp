#include "cryoscape/projection/vector_code.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cryoscape/projection/vector_code.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Compiled once per instruction set. Drawing is a matrix product: a strip of the image is (rows × beads) ·
// (beads × columns), with the beads that reach a block of rows contiguous after sorting, and a block's sums
// in registers. Vectors of eight floats waste fewer columns of a window than longer ones.
HWY_BEFORE_NAMESPACE();
namespace cryoscape::projection::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using V8 = hn::CappedTag<float, 8>;

// Beads whose tables are made together: enough to fill vectors, few enough to stay in the first cache.
constexpr std::size_t kPullRun = 16;

static int Lanes() { return static_cast<int>(hn::Lanes(V8())); }

static void Place(const WindowPlan& plan, const Placing& placing, BeadOrder& order) {
  const V8 d;
  const hn::RebindToSigned<V8> di;
  const std::size_t lanes = hn::Lanes(d);
  const float* r = placing.rotation;
  const float inverse = 1 / plan.spec.pixel_size, reach = static_cast<float>(plan.reach);
  float rotation[6], origin[2];
  for (int k = 0; k < 6; ++k) rotation[k] = r[k] * inverse;
  for (int k = 0; k < 2; ++k)
    origin[k] = 0.5f * static_cast<float>(plan.spec.box) - placing.shift[k] * inverse;
  const auto margin = hn::Set(d, reach), box = hn::Set(d, static_cast<float>(plan.spec.box - 1));
  const auto rows = hn::Set(d, static_cast<float>(plan.row_starts));
  const auto outside = hn::Set(d, static_cast<float>(plan.strips) * static_cast<float>(plan.row_starts));
  const auto inverse_step = hn::Set(d, 1 / static_cast<float>(plan.step)), half = hn::Set(d, 0.5f);
  const float* amplitudes = placing.amplitudes.data();
  const std::size_t beads = placing.amplitudes.size();
  float last[3 * 8] = {}, last_amplitudes[8] = {};
  for (std::size_t n = 0; n < beads; n += lanes) {
    const float *from = placing.coordinates + 3 * n, *amplitude = amplitudes + n;
    if (n + lanes > beads) {
      std::copy(from, placing.coordinates + 3 * beads, last);
      std::copy(amplitude, amplitudes + beads, last_amplitudes);
      from = last;
      amplitude = last_amplitudes;
    }
    hn::Vec<V8> x, y, z;
    hn::LoadInterleaved3(d, from, x, y, z);
    const auto along = [&](int k) {
      auto p = hn::MulAdd(x, hn::Set(d, rotation[3 * k]), hn::Set(d, origin[k]));
      p = hn::MulAdd(y, hn::Set(d, rotation[3 * k + 1]), p);
      return hn::MulAdd(z, hn::Set(d, rotation[3 * k + 2]), p);
    };
    const auto px = along(0), py = along(1);
    const auto cx = hn::Round(px), cy = hn::Round(py);
    // False for positions that are not finite.
    const auto visible =
        hn::And(hn::And(hn::Ge(hn::Add(cx, margin), hn::Zero(d)), hn::Le(hn::Sub(cx, margin), box)),
                hn::And(hn::Ge(hn::Add(cy, margin), hn::Zero(d)), hn::Le(hn::Sub(cy, margin), box)));
    const auto strip = hn::Floor(hn::Mul(hn::Add(hn::Add(cx, margin), half), inverse_step));
    const auto key = hn::MulAdd(strip, rows, hn::Add(cy, margin));
    const auto index = hn::BitCast(d, hn::Iota(di, static_cast<std::int32_t>(n)));
    hn::StoreInterleaved4(px, py, hn::LoadU(d, amplitude), index, d, &order.placed[n].x);
    hn::StoreU(hn::ConvertTo(di, hn::IfThenElse(visible, key, outside)), di, order.keys.data() + n);
  }
}

// Profiles of beads [begin, end) along one axis, x (0) or y (1), from pixel `first` on, or with FromWindow
// from the first pixel of each window, rounded down to a multiple of `block`. With u the tabulated phase next
// to a bead's fraction of a pixel and e the rest,
//   exp(−(o² )/2σ²) = profile_u · exp(e (o + e/2)/σ²),  o = pixel − position.
template <bool FromWindow>
static void PrepareAxis(const WindowPlan& plan, const PlacedBead* beads, std::size_t count, int axis,
                        int first, int block, AxisProfiles& out, std::int32_t* first_pixels) {
  const V8 d;
  const hn::RebindToSigned<V8> di;
  const std::size_t lanes = hn::Lanes(d);
  const auto phases = hn::Set(d, static_cast<float>(kPhases)), inverse_phases = hn::Set(d, 1.0f / kPhases);
  const auto inverse_sigma2 = hn::Set(d, plan.inverse_sigma2), half = hn::Set(d, 0.5f);
  const auto size = hn::Set(d, static_cast<float>(plan.profile_size));
  const auto origin = hn::Set(d, static_cast<float>(kPhases / 2 * plan.profile_size - plan.profile_first));
  for (std::size_t n = 0; n < count; n += lanes) {
    hn::Vec<V8> x, y, amplitude, index;
    hn::LoadInterleaved4(d, &beads[n].x, x, y, amplitude, index);
    const auto p = axis == 0 ? x : y;
    const auto nearest = hn::Round(p), fraction = hn::Sub(p, nearest);
    const auto phase = hn::Round(hn::Mul(fraction, phases));
    const auto rest = hn::NegMulAdd(phase, inverse_phases, fraction);
    const auto pixel = hn::ConvertTo(di, nearest);
    auto start = hn::Set(di, first);
    if constexpr (FromWindow) {
      start = hn::And(hn::Sub(pixel, hn::Set(di, plan.reach)), hn::Set(di, -block));
      hn::StoreU(start, di, first_pixels + n);
    }
    const auto ahead = hn::Sub(start, pixel);
    const auto offset = hn::Sub(hn::ConvertTo(d, ahead), fraction);
    const auto slope = hn::Mul(rest, inverse_sigma2);
    hn::StoreU(hn::Add(hn::ConvertTo(di, hn::MulAdd(phase, size, origin)), ahead), di, out.entry.data() + n);
    hn::StoreU(slope, d, out.slope.data() + n);
    hn::StoreU(hn::Mul(slope, hn::MulAdd(half, rest, offset)), d, out.at.data() + n);
    hn::StoreU(offset, d, out.offset.data() + n);
  }
}

// G vectors, from float `from` on, of the profiles of `count` beads, beads `stride` floats apart, zero beyond
// their windows: times `scale` and the beads' amplitudes where `amplitudes` are given.
template <int G>
static HWY_INLINE void FillProfiles(const WindowPlan& plan, const AxisProfiles& axis, std::size_t count,
                                    int from, float scale, const PlacedBead* amplitudes,
                                    float* HWY_RESTRICT out, std::size_t stride) {
  const V8 d;
  const std::size_t lanes = hn::Lanes(d);
  const float* profile = plan.profile.data() + from;
  const std::int32_t* HWY_RESTRICT entries = axis.entry.data();
  const float *HWY_RESTRICT slopes = axis.slope.data(), *HWY_RESTRICT starts = axis.at.data();
  const auto half = hn::Set(d, 0.5f), one = hn::Set(d, 1.0f);
  const auto j0 = hn::Iota(d, static_cast<float>(from)),
             j1 = hn::Add(j0, hn::Set(d, static_cast<float>(lanes))),
             j2 = hn::Add(j1, hn::Set(d, static_cast<float>(lanes)));
  out += from;
  for (std::size_t n = 0; n < count; ++n, out += stride) {
    const float* entry = profile + entries[n];
    const auto slope = hn::Set(d, slopes[n]), at = hn::Set(d, starts[n]);
    const auto weight = hn::Set(d, amplitudes ? scale * amplitudes[n].amplitude : scale);
    const auto fill = [&](auto j, std::size_t k) HWY_ATTR {
      const auto t = hn::MulAdd(j, slope, at);
      const auto factor = hn::MulAdd(hn::MulAdd(half, t, one), t, one);
      hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(d, entry + k), weight), factor), d, out + k);
    };
    fill(j0, 0);
    if constexpr (G > 1) fill(j1, lanes);
    if constexpr (G > 2) fill(j2, 2 * lanes);
  }
}

// Calls body.template operator()<G>(first vector) for groups of at most three of `vectors` vectors.
template <class Body>
static HWY_INLINE void InGroups(int vectors, Body&& body) {
  int v = 0;
  for (; v + 3 <= vectors; v += 3) body.template operator()<3>(v);
  if (vectors - v == 2) body.template operator()<2>(v);
  if (vectors - v == 1) body.template operator()<1>(v);
}

static void FillStrip(const WindowPlan& plan, const PlacedBead* beads, std::size_t count, int first_column,
                      Tables& tables) {
  const float norm = plan.inverse_sigma2 / (2 * std::numbers::pi_v<float>);
  PrepareAxis<false>(plan, beads, count, 0, first_column, 0, tables.x, nullptr);
  PrepareAxis<true>(plan, beads, count, 1, 0, kRowBlock, tables.y, tables.first_rows.data());
  const int lanes = plan.lanes;
  InGroups(plan.columns / lanes, [&]<int G>(int v) HWY_ATTR {
    FillProfiles<G>(plan, tables.x, count, v * lanes, norm, beads, tables.columns.data(), plan.columns);
  });
  InGroups(plan.table_rows / lanes, [&]<int G>(int v) HWY_ATTR {
    FillProfiles<G>(plan, tables.y, count, v * lanes, 1, nullptr, tables.rows.data(), plan.table_rows);
  });
  for (std::size_t n = 0; n < count; ++n)
    tables.row_offsets[n] = static_cast<std::int64_t>(n) * plan.table_rows - tables.first_rows[n];
}

// A strip's beads as a matrix product: image += rowsᵀ · columns.
struct Factors {
  const float *columns, *rows;
  const std::int64_t* row_offsets;
  int stride;  ///< of columns
};

// Adds beads [begin, end) of a strip to G vectors of kRowBlock rows from `row` on.
template <int G>
static HWY_INLINE void AddBlock(const Factors& factors, std::ptrdiff_t begin, std::ptrdiff_t end, int row,
                                int vector, float* HWY_RESTRICT out, std::ptrdiff_t stride) {
  const V8 d;
  const std::size_t lanes = hn::Lanes(d);
  const float* column = factors.columns + begin * factors.stride + vector * lanes;
  const float* rows = factors.rows + row;
  auto a0 = hn::Zero(d), b0 = a0, c0 = a0, a1 = a0, b1 = a0, c1 = a0, a2 = a0, b2 = a0, c2 = a0, a3 = a0,
       b3 = a0, c3 = a0;
  for (std::ptrdiff_t i = begin; i < end; ++i, column += factors.stride) {
    const float* weight = rows + factors.row_offsets[i];
    const auto a = hn::LoadU(d, column);
    auto b = a, c = a;
    if constexpr (G > 1) b = hn::LoadU(d, column + lanes);
    if constexpr (G > 2) c = hn::LoadU(d, column + 2 * lanes);
    const auto w0 = hn::Set(d, weight[0]), w1 = hn::Set(d, weight[1]), w2 = hn::Set(d, weight[2]),
               w3 = hn::Set(d, weight[3]);
    a0 = hn::MulAdd(a, w0, a0), a1 = hn::MulAdd(a, w1, a1), a2 = hn::MulAdd(a, w2, a2),
    a3 = hn::MulAdd(a, w3, a3);
    if constexpr (G > 1)
      b0 = hn::MulAdd(b, w0, b0), b1 = hn::MulAdd(b, w1, b1), b2 = hn::MulAdd(b, w2, b2),
      b3 = hn::MulAdd(b, w3, b3);
    if constexpr (G > 2)
      c0 = hn::MulAdd(c, w0, c0), c1 = hn::MulAdd(c, w1, c1), c2 = hn::MulAdd(c, w2, c2),
      c3 = hn::MulAdd(c, w3, c3);
  }
  const auto add = [&](float* to, auto a, auto b, auto c) {
    hn::StoreU(hn::Add(hn::LoadU(d, to), a), d, to);
    if constexpr (G > 1) hn::StoreU(hn::Add(hn::LoadU(d, to + lanes), b), d, to + lanes);
    if constexpr (G > 2) hn::StoreU(hn::Add(hn::LoadU(d, to + 2 * lanes), c), d, to + 2 * lanes);
  };
  out += vector * lanes;
  add(out, a0, b0, c0);
  add(out + stride, a1, b1, c1);
  add(out + 2 * stride, a2, b2, c2);
  add(out + 3 * stride, a3, b3, c3);
}

// Adds one strip to the canvas; `start` are the first places of the strip's row keys, beads counted from
// start[0].
static void AddStrip(const WindowPlan& plan, const std::int32_t* start, const Factors& factors,
                     int first_column, const Canvas& canvas) {
  for (int row = 0; row < canvas.rows; row += kRowBlock) {
    // Windows that reach the block begin at rows from row − 2·reach to row + kRowBlock − 1.
    const int first = start[std::min(row, plan.row_starts)] - start[0];
    const int last = start[std::min(row + kRowBlock + 2 * plan.reach, plan.row_starts)] - start[0];
    if (first == last) continue;
    float* out = canvas.pixels + row * canvas.stride + first_column;
    InGroups(plan.columns / plan.lanes,
             [&]<int G>(int v) HWY_ATTR { AddBlock<G>(factors, first, last, row, v, out, canvas.stride); });
  }
}

// Calls body(strip's row starts, its beads, their number, its first column) for every strip that has beads.
template <class Body>
static HWY_INLINE void ForStrips(const WindowPlan& plan, const BeadOrder& order, Body&& body) {
  for (int strip = 0; strip < plan.strips; ++strip) {
    const std::int32_t* start = order.start.data() + static_cast<std::ptrdiff_t>(strip) * plan.row_starts;
    const std::size_t count = start[plan.row_starts] - start[0];
    if (count) body(start, order.sorted.data() + start[0], count, strip * plan.step - 2 * plan.reach);
  }
}

static void Draw(const WindowPlan& plan, const BeadOrder& order, Tables& tables, const Canvas& canvas) {
  ForStrips(plan, order,
            [&](const std::int32_t* start, const PlacedBead* beads, std::size_t count, int first_column)
                HWY_ATTR {
                  tables.resize(plan, count);
                  FillStrip(plan, beads, count, first_column, tables);
                  const Factors factors{tables.columns.data(), tables.rows.data(), tables.row_offsets.data(),
                                        plan.columns};
                  AddStrip(plan, start, factors, first_column, canvas);
                });
}

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

// Adds to along_x = Σ image·hx·gy and along_y = Σ image·gx·hy over G vectors of `rows` rows. Two rows at a
// time hide the latency of the multiply-add.
template <int G>
static HWY_INLINE void PullVectors(const float* HWY_RESTRICT image, std::ptrdiff_t stride,
                                   const float* HWY_RESTRICT gy, const float* HWY_RESTRICT hy, int rows,
                                   const float* HWY_RESTRICT gx, const float* HWY_RESTRICT hx,
                                   hn::Vec<V8>& along_x, hn::Vec<V8>& along_y) {
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
    along_x = hn::MulAdd(g, hn::LoadU(d, hx + j), along_x);
    along_y = hn::MulAdd(h, hn::LoadU(d, gx + j), along_y);
  };
  weigh(hn::Add(even.ga, odd.ga), hn::Add(even.ha, odd.ha), 0);
  if constexpr (G > 1) weigh(hn::Add(even.gb, odd.gb), hn::Add(even.hb, odd.hb), lanes);
  if constexpr (G > 2) weigh(hn::Add(even.gc, odd.gc), hn::Add(even.hc, odd.hc), 2 * lanes);
}

// h[j] = g[j] · (pixel j − position) for G vectors of the profiles of `count` beads.
template <int G>
static HWY_INLINE void FillSlopes(const AxisProfiles& axis, std::size_t count, int from,
                                  const float* HWY_RESTRICT g, float* HWY_RESTRICT h, std::size_t stride) {
  const V8 d;
  const std::size_t lanes = hn::Lanes(d);
  const float* HWY_RESTRICT offsets = axis.offset.data();
  g += from, h += from;
  for (std::size_t n = 0; n < count; ++n, g += stride, h += stride) {
    const auto offset = hn::Set(d, offsets[n]);
    for (std::size_t j = 0; j < G * lanes; j += lanes)
      hn::StoreU(hn::Mul(hn::LoadU(d, g + j), hn::Add(offset, hn::Iota(d, static_cast<float>(from + j)))), d,
                 h + j);
  }
}

// out[n][j] = factor[beads[n].index][axis] · table[n][j]: row tables for beads that move.
static void ScaleRows(const PlacedBead* beads, std::size_t count, const float* factors,
                      const float* HWY_RESTRICT table, int floats, float* HWY_RESTRICT out) {
  const V8 d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t n = 0; n < count; ++n, table += floats, out += floats) {
    const auto factor = hn::Set(d, factors[2 * static_cast<std::ptrdiff_t>(beads[n].index)]);
    for (int j = 0; j < floats; j += static_cast<int>(lanes))
      hn::StoreU(hn::Mul(factor, hn::LoadU(d, table + j)), d, out + j);
  }
}

static void DrawTangents(const WindowPlan& plan, const BeadOrder& order, std::span<const float> velocities,
                         Tables& tables, std::span<Frame> frames) {
  const std::size_t beads_in_all = velocities.size() / 2 / frames.size();
  ForStrips(
      plan, order,
      [&](const std::int32_t* start, const PlacedBead* beads, std::size_t count, int first_column) HWY_ATTR {
        tables.resize(plan, count);
        FillStrip(plan, beads, count, first_column, tables);
        InGroups(plan.columns / plan.lanes, [&]<int G>(int v) HWY_ATTR {
          FillSlopes<G>(tables.x, count, v * plan.lanes, tables.columns.data(), tables.column_slopes.data(),
                        plan.columns);
        });
        InGroups(plan.table_rows / plan.lanes, [&]<int G>(int v) HWY_ATTR {
          FillSlopes<G>(tables.y, count, v * plan.lanes, tables.rows.data(), tables.row_slopes.data(),
                        plan.table_rows);
        });
        for (std::size_t k = 0; k < frames.size(); ++k) {
          const float* velocity = velocities.data() + 2 * beads_in_all * k;
          float* moved = tables.moved_rows.data();
          ScaleRows(beads, count, velocity, tables.rows.data(), plan.table_rows, moved);
          AddStrip(plan, start, {tables.column_slopes.data(), moved, tables.row_offsets.data(), plan.columns},
                   first_column, frames[k].canvas());
          ScaleRows(beads, count, velocity + 1, tables.row_slopes.data(), plan.table_rows, moved);
          AddStrip(plan, start, {tables.columns.data(), moved, tables.row_offsets.data(), plan.columns},
                   first_column, frames[k].canvas());
        }
      });
}

// Prepares the windows of `count` beads, profiles and slopes along both axes.
static void FillWindows(const WindowPlan& plan, const PlacedBead* beads, std::size_t count, Tables& tables) {
  const int lanes = plan.lanes, stride = plan.window_floats;
  PrepareAxis<true>(plan, beads, count, 0, 0, 1, tables.x, tables.first_columns.data());
  PrepareAxis<true>(plan, beads, count, 1, 0, 1, tables.y, tables.first_rows.data());
  InGroups(stride / lanes, [&]<int G>(int v) HWY_ATTR {
    FillProfiles<G>(plan, tables.x, count, v * lanes, 1, nullptr, tables.columns.data(), stride);
    FillProfiles<G>(plan, tables.y, count, v * lanes, 1, nullptr, tables.rows.data(), stride);
    FillSlopes<G>(tables.x, count, v * lanes, tables.columns.data(), tables.column_slopes.data(), stride);
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
      const float *gx = tables.columns.data() + n * stride, *hx = tables.column_slopes.data() + n * stride;
      const float *gy = tables.rows.data() + n * stride + skipped,
                  *hy = tables.row_slopes.data() + n * stride + skipped;
      auto along_x = hn::Zero(d), along_y = hn::Zero(d);
      InGroups(vectors, [&]<int G>(int v) HWY_ATTR {
        const std::ptrdiff_t i = static_cast<std::ptrdiff_t>(v) * lanes;
        PullVectors<G>(image + i, frame.stride, gy, hy, rows, gx + i, hx + i, along_x, along_y);
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
HWY_EXPORT(Lanes);
HWY_EXPORT(Place);
HWY_EXPORT(Draw);
HWY_EXPORT(DrawTangents);
HWY_EXPORT(Pull);

int vector_lanes() { return HWY_DYNAMIC_DISPATCH(Lanes)(); }

void place_beads(const WindowPlan& plan, const Placing& placing, BeadOrder& order) {
  HWY_DYNAMIC_DISPATCH(Place)(plan, placing, order);
}

void draw_beads(const WindowPlan& plan, const BeadOrder& order, Tables& tables, const Canvas& canvas) {
  HWY_DYNAMIC_DISPATCH(Draw)(plan, order, tables, canvas);
}

void draw_tangents(const WindowPlan& plan, const BeadOrder& order, std::span<const float> velocities,
                   Tables& tables, std::span<Frame> frames) {
  HWY_DYNAMIC_DISPATCH(DrawTangents)(plan, order, velocities, tables, frames);
}

void pull_beads(const WindowPlan& plan, const BeadOrder& order, const float* rotation, Tables& tables,
                const Frame& frame, float* gradient) {
  HWY_DYNAMIC_DISPATCH(Pull)(plan, order, rotation, tables, frame, gradient);
}

void Tables::resize(const WindowPlan& plan, std::size_t beads) {
  if (row_offsets.size() >= beads) return;
  const std::size_t padded = beads + plan.lanes;
  for (auto* axis : {&x, &y}) {
    axis->entry.resize(padded);
    axis->slope.resize(padded);
    axis->at.resize(padded);
    axis->offset.resize(padded);
  }
  first_rows.resize(padded);
  first_columns.resize(padded);
  columns.resize(beads * plan.columns);
  column_slopes.resize(beads * plan.columns);
  rows.resize(beads * plan.table_rows);
  row_slopes.resize(beads * plan.table_rows);
  moved_rows.resize(beads * plan.table_rows);
  row_offsets.resize(beads);
}

}  // namespace cryoscape::projection
#endif  // HWY_ONCE
