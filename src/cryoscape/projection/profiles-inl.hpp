// Profiles of beads in vectors of the instruction set being compiled; included once for each of them.
#if defined(CRYOSCAPE_PROJECTION_PROFILES_INL_HPP_) == defined(HWY_TARGET_TOGGLE)
#ifdef CRYOSCAPE_PROJECTION_PROFILES_INL_HPP_
#undef CRYOSCAPE_PROJECTION_PROFILES_INL_HPP_
#else
#define CRYOSCAPE_PROJECTION_PROFILES_INL_HPP_
#endif

#include <hwy/highway.h>

#include "cryoscape/projection/vectors.hpp"

HWY_BEFORE_NAMESPACE();
namespace cryoscape::projection::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Vectors of eight floats waste fewer columns of a window than longer ones.
using V8 = hn::CappedTag<float, 8>;

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

}  // namespace cryoscape::projection::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CRYOSCAPE_PROJECTION_PROFILES_INL_HPP_
