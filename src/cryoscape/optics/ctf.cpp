#include "cryoscape/optics/ctf.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/optics/aberrations.hpp"
#include "cryoscape/optics/ctf_row.hpp"

// foreach_target.h must come first.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cryoscape/optics/ctf.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

// Compiled once per instruction set. Phases are summed in double and brought into one turn before they become
// float: they reach hundreds of radians at high defocus.
HWY_BEFORE_NAMESPACE();
namespace cryoscape::optics::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

static void EvaluateRow(const CtfRow& r, const float* HWY_RESTRICT even_turns, float* HWY_RESTRICT out) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> f;
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN float part[hn::MaxLanes(d)];
  const auto x0 = hn::Set(d, r.x0), y0 = hn::Set(d, r.y0), dx = hn::Set(d, r.dx), dy = hn::Set(d, r.dy);
  const auto xx = hn::Set(d, r.xx), xy2 = hn::Set(d, r.xy2), yy = hn::Set(d, r.yy),
             quartic = hn::Set(d, r.quartic);
  const auto offset = hn::Set(d, r.offset);
  const auto two_pi = hn::Set(f, static_cast<float>(2 * std::numbers::pi)), scale = hn::Set(f, r.scale);
  const auto decay = hn::Set(f, r.decay);
  for (std::size_t k = 0; k < r.columns; k += lanes) {
    const auto column = hn::Iota(d, static_cast<double>(k));
    const auto x = hn::MulAdd(column, dx, x0), y = hn::MulAdd(column, dy, y0);
    const auto x2 = hn::Mul(x, x), y2 = hn::Mul(y, y), f2 = hn::Add(x2, y2);
    auto turns = hn::MulAdd(xx, x2, hn::MulAdd(xy2, hn::Mul(x, y), hn::MulAdd(yy, y2, offset)));
    turns = hn::NegMulAdd(quartic, hn::Mul(f2, f2), turns);
    const std::size_t count = std::min(lanes, r.columns - k);
    if (even_turns) {
      std::copy_n(even_turns + k, count, part);
      turns = hn::Sub(turns, hn::PromoteTo(d, hn::Load(f, part)));
    }
    turns = hn::Sub(turns, hn::Round(turns));
    auto value = hn::Mul(scale, hn::Sin(f, hn::Mul(two_pi, hn::DemoteTo(f, turns))));
    if (r.absolute) value = hn::Abs(value);
    if (r.decay != 0) value = hn::Mul(value, hn::Exp(f, hn::Mul(decay, hn::DemoteTo(f, f2))));
    if (count == lanes) {
      hn::StoreU(value, f, out + k);
    } else {
      hn::Store(value, f, part);
      std::copy_n(part, count, out + k);
    }
  }
}

}  // namespace cryoscape::optics::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cryoscape::optics {
HWY_EXPORT(EvaluateRow);
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kMillimetre = 1e7;  ///< Å

bool any(const std::vector<double>& values) {
  return std::any_of(values.begin(), values.end(), [](double v) { return v != 0; });
}

/// Calls body(index, x, y) for every coefficient with its Fourier coordinates (1/Å) behind the magnification
/// matrix.
template <class Body>
void for_coordinates(const std::array<double, 4>& m, int box, double step, Body&& body) {
  std::size_t i = 0;
  for (int row = 0; row < box; ++row) {
    const double v = (row < box / 2 ? row : row - box) * step;
    for (int kx = 0; kx <= box / 2; ++kx, ++i) {
      const double u = kx * step;
      body(i, m[0] * u + m[1] * v, m[2] * u + m[3] * v);
    }
  }
}

}  // namespace

double electron_wavelength(double voltage_kv) {
  const double v = voltage_kv * 1e3;
  return 12.2643247 / std::sqrt(v * (1 + v * 0.978466e-6));
}

CtfEvaluator::CtfEvaluator(const OpticsGroup& group, int box, double pixel_size)
    : group_(group), box_(box), step_(1 / (box * pixel_size)) {
  const std::size_t count = static_cast<std::size_t>(box) * (box / 2 + 1);
  if (any(group.even_zernike)) {
    even_turns_.resize(count);
    for_coordinates(group.magnification, box, step_, [&](std::size_t i, double x, double y) {
      even_turns_[i] = static_cast<float>(even_aberration(group.even_zernike, x, y) / (2 * kPi));
    });
  }
  if (any(group.odd_zernike) || group.beam_tilt_x != 0 || group.beam_tilt_y != 0) {
    antisymmetric_.resize(count);
    const double lambda = electron_wavelength(group.voltage_kv);
    const double tilt = 2 * kPi * group.cs_mm * kMillimetre * lambda * lambda * 1e-3;  // of mrad
    for_coordinates(group.magnification, box, step_, [&](std::size_t i, double x, double y) {
      const double phase = odd_aberration(group.odd_zernike, x, y) -
                           tilt * (x * x + y * y) * (x * group.beam_tilt_x + y * group.beam_tilt_y);
      antisymmetric_[i] = std::polar(1.0f, -static_cast<float>(std::remainder(phase, 2 * kPi)));
    });
  }
}

void CtfEvaluator::evaluate(const CtfParameters& p, std::span<float> out) const {
  const double lambda = electron_wavelength(group_.voltage_kv), cs = group_.cs_mm * kMillimetre;
  // πλΔf(φ)f² as a quadratic form in (x, y); all in turns.
  const double mean = 0.5 * (p.defocus_u + p.defocus_v), half = 0.5 * (p.defocus_u - p.defocus_v);
  const double c2 = std::cos(2.0 * p.defocus_angle), s2 = std::sin(2.0 * p.defocus_angle);
  const auto& m = group_.magnification;
  CtfRow r;
  r.columns = static_cast<std::size_t>(box_ / 2 + 1);
  r.xx = 0.5 * lambda * (mean + half * c2);
  r.yy = 0.5 * lambda * (mean - half * c2);
  r.xy2 = lambda * half * s2;
  r.quartic = 0.25 * cs * lambda * lambda * lambda;
  r.offset = (p.phase_shift + std::asin(group_.amplitude_contrast)) / (2 * kPi);
  r.scale = p.scale;
  r.decay = -0.25f * p.b_factor;
  r.absolute = group_.phase_flipped;
  r.dx = m[0] * step_;
  r.dy = m[2] * step_;
  for (int row = 0; row < box_; ++row) {
    const double v = (row < box_ / 2 ? row : row - box_) * step_;
    r.x0 = m[1] * v;
    r.y0 = m[3] * v;
    const std::size_t first = r.columns * row;
    HWY_DYNAMIC_DISPATCH(EvaluateRow)
    (r, even_turns_.empty() ? nullptr : even_turns_.data() + first, out.data() + first);
  }
}

void CtfEvaluator::demodulate(std::span<std::complex<float>> spectrum) const {
  for (std::size_t i = 0; i < antisymmetric_.size(); ++i) spectrum[i] *= antisymmetric_[i];
}

void evaluate_ctf(const OpticsGroup& group, const CtfParameters& parameters, int box, double pixel_size,
                  std::span<float> out) {
  CtfEvaluator(group, box, pixel_size).evaluate(parameters, out);
}

}  // namespace cryoscape::optics
#endif  // HWY_ONCE
