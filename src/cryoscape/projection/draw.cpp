#include <algorithm>
#include <numbers>

#include "cryoscape/projection/vectors.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cryoscape/projection/draw.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "cryoscape/projection/profiles-inl.hpp"

// Compiled once per instruction set. Drawing is a matrix product: a strip of the image is (rows × beads) ·
// (beads × columns), with the beads that reach a block of rows contiguous after sorting, and a block's sums
// in registers.
HWY_BEFORE_NAMESPACE();
namespace cryoscape::projection::HWY_NAMESPACE {

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

}  // namespace cryoscape::projection::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cryoscape::projection {
HWY_EXPORT(Lanes);
HWY_EXPORT(Place);
HWY_EXPORT(Draw);
HWY_EXPORT(DrawTangents);

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

}  // namespace cryoscape::projection
#endif  // HWY_ONCE
