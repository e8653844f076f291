#include "cryoscape/projection/kernel.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <vector>

#include "cryoscape/projection/frame.hpp"
#include "cryoscape/util/parallel.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cryoscape/projection/kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>

// Compiled once per instruction set; the tables of one bead's window in x are padded with zeros to whole vectors, and images have
// margins as wide as a window, so that the inner loops need neither masks nor clipping in x.
HWY_BEFORE_NAMESPACE();
namespace cryoscape::projection::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;

// g[i] = exp(−(first + i − centre)²/2σ²) inside the window, 0 beyond it up to a whole number of vectors. Returns that number of floats.
static std::size_t FillTable(float first, float centre, float radius, float inverse_sigma2, int count, float* HWY_RESTRICT g,
                             float* HWY_RESTRICT g_times_offset) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  const auto scale = hn::Set(d, -0.5f * inverse_sigma2), limit = hn::Set(d, radius);
  std::size_t i = 0;
  for (; i < static_cast<std::size_t>(count); i += lanes) {
    const auto offset = hn::Add(hn::Iota(d, static_cast<float>(i)), hn::Set(d, first - centre));
    auto value = hn::Exp(d, hn::Mul(scale, hn::Mul(offset, offset)));
    value = hn::IfThenElseZero(hn::Le(hn::Abs(offset), limit), value);
    hn::StoreU(value, d, g + i);
    hn::StoreU(hn::Mul(value, offset), d, g_times_offset + i);
  }
  return i;
}

struct Window {
  int x0, y0, rows;
  std::size_t width;
};

// Tables of a bead at (px, py); false when nothing of it lies in the image.
static bool PrepareWindow(const Frame& f, float px, float py, float* gx, float* hx, float* gy, float* hy, Window& w) {
  const float r = f.radius;
  if (!(px + r >= 0 && py + r >= 0 && px - r <= f.box - 1 && py - r <= f.box - 1)) return false;
  w.x0 = static_cast<int>(std::ceil(px - r));
  const int x1 = static_cast<int>(std::floor(px + r));
  w.y0 = std::max(0, static_cast<int>(std::ceil(py - r)));
  const int y1 = std::min(f.box - 1, static_cast<int>(std::floor(py + r)));
  w.rows = y1 - w.y0 + 1;
  if (w.rows <= 0 || x1 < w.x0) return false;
  w.width = FillTable(static_cast<float>(w.x0), px, r, f.inverse_sigma2, x1 - w.x0 + 1, gx, hx);
  FillTable(static_cast<float>(w.y0), py, r, f.inverse_sigma2, w.rows, gy, hy);
  return true;
}

void DrawBead(const Frame& f, float px, float py, float amplitude) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN float gx[kMaxWindow], hx[kMaxWindow], gy[kMaxWindow], hy[kMaxWindow];
  Window w;
  if (!PrepareWindow(f, px, py, gx, hx, gy, hy, w)) return;
  float* row = f.pixels + w.y0 * f.stride + w.x0;
  for (int y = 0; y < w.rows; ++y, row += f.stride) {
    const auto weight = hn::Set(d, amplitude * gy[y]);
    for (std::size_t x = 0; x < w.width; x += lanes)
      hn::StoreU(hn::MulAdd(weight, hn::LoadU(d, gx + x), hn::LoadU(d, row + x)), d, row + x);
  }
}

// Gradient of Σ G·image by the bead's position in pixels.
void PullBead(const Frame& f, float px, float py, float amplitude, float* out) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN float gx[kMaxWindow], hx[kMaxWindow], gy[kMaxWindow], hy[kMaxWindow];
  Window w;
  out[0] = out[1] = 0;
  if (!PrepareWindow(f, px, py, gx, hx, gy, hy, w)) return;
  auto sum_x = hn::Zero(d), sum_y = hn::Zero(d);
  for (std::size_t x = 0; x < w.width; x += lanes) {
    const float* column = f.pixels + w.y0 * f.stride + w.x0 + x;
    auto by_g = hn::Zero(d), by_h = hn::Zero(d);
    for (int y = 0; y < w.rows; ++y, column += f.stride) {
      const auto value = hn::LoadU(d, column);
      by_g = hn::MulAdd(value, hn::Set(d, gy[y]), by_g);
      by_h = hn::MulAdd(value, hn::Set(d, hy[y]), by_h);
    }
    sum_x = hn::MulAdd(by_g, hn::LoadU(d, hx + x), sum_x);
    sum_y = hn::MulAdd(by_h, hn::LoadU(d, gx + x), sum_y);
  }
  const float scale = amplitude * f.inverse_sigma2;
  out[0] = scale * hn::GetLane(hn::SumOfLanes(d, sum_x));
  out[1] = scale * hn::GetLane(hn::SumOfLanes(d, sum_y));
}

// All beads at (N, 2) pixel positions; one dispatch per image.
void DrawBeads(const Frame& f, const float* positions, const float* amplitudes, std::size_t count) {
  for (std::size_t n = 0; n < count; ++n) DrawBead(f, positions[2 * n], positions[2 * n + 1], amplitudes[n]);
}

void PullBeads(const Frame& f, const float* positions, const float* amplitudes, std::size_t count, float* out) {
  for (std::size_t n = 0; n < count; ++n) PullBead(f, positions[2 * n], positions[2 * n + 1], amplitudes[n], out + 2 * n);
}

}  // namespace cryoscape::projection::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cryoscape::projection {
HWY_EXPORT(DrawBeads);
HWY_EXPORT(PullBeads);

namespace {

constexpr int kVectorSlack = 64;  // floats: at least two vectors of any instruction set

/// Image with margins, positions and amplitudes of one thread; grows once and is reused.
struct Scratch {
  std::vector<float> padded, positions, amplitudes, pulls;
  std::ptrdiff_t stride = 0;
  int margin = 0;

  void prepare(const ProjectionSpec& spec, std::size_t beads) {
    margin = static_cast<int>(std::ceil(window_radius(spec))) + kVectorSlack;
    stride = spec.box + 2 * margin + kVectorSlack;
    padded.resize(static_cast<std::size_t>(stride) * spec.box);
    positions.resize(2 * beads);
    amplitudes.resize(beads);
    pulls.resize(2 * beads);
  }
};

Scratch& scratch() {
  thread_local Scratch instance;
  return instance;
}

void place_beads(const ProjectionSpec& spec, std::span<const float> amplitudes, const float* x, const float* r,
                 const float* shift, Scratch& s) {
  const float inverse = 1 / spec.pixel_size, centre = 0.5f * static_cast<float>(spec.box);
  const float sigma = spec.sigma / spec.pixel_size;
  const float norm = 1 / (2 * std::numbers::pi_v<float> * sigma * sigma);
  for (std::size_t n = 0; n < amplitudes.size(); ++n, x += 3) {
    s.positions[2 * n] = (r[0] * x[0] + r[1] * x[1] + r[2] * x[2] - shift[0]) * inverse + centre;
    s.positions[2 * n + 1] = (r[3] * x[0] + r[4] * x[1] + r[5] * x[2] - shift[1]) * inverse + centre;
    s.amplitudes[n] = amplitudes[n] * norm;
  }
}

Frame frame(const ProjectionSpec& spec, Scratch& s) {
  const float sigma = spec.sigma / spec.pixel_size;
  return {s.padded.data() + s.margin, s.stride, spec.box, 1 / (sigma * sigma),
          static_cast<float>(window_radius(spec))};
}

}  // namespace

double window_radius(const ProjectionSpec& spec) {
  const double radius = spec.sigma / spec.pixel_size * std::sqrt(-2 * std::log(static_cast<double>(spec.cutoff)));
  return std::min(radius, 0.5 * kMaxWindow - kVectorSlack);
}

void project_one(const ProjectionSpec& spec, std::span<const float> amplitudes, const float* coordinates,
                 const float* rotation, const float* shift, float* image) {
  auto& s = scratch();
  s.prepare(spec, amplitudes.size());
  std::fill(s.padded.begin(), s.padded.end(), 0.0f);
  place_beads(spec, amplitudes, coordinates, rotation, shift, s);
  HWY_DYNAMIC_DISPATCH(DrawBeads)(frame(spec, s), s.positions.data(), s.amplitudes.data(), amplitudes.size());
  for (int y = 0; y < spec.box; ++y)
    std::memcpy(image + static_cast<std::size_t>(y) * spec.box, s.padded.data() + y * s.stride + s.margin,
                sizeof(float) * spec.box);
}

void project_one_backward(const ProjectionSpec& spec, std::span<const float> amplitudes, const float* coordinates,
                          const float* rotation, const float* shift, const float* image_gradient,
                          float* coordinate_gradient) {
  auto& s = scratch();
  s.prepare(spec, amplitudes.size());
  std::fill(s.padded.begin(), s.padded.end(), 0.0f);
  for (int y = 0; y < spec.box; ++y)
    std::memcpy(s.padded.data() + y * s.stride + s.margin, image_gradient + static_cast<std::size_t>(y) * spec.box,
                sizeof(float) * spec.box);
  place_beads(spec, amplitudes, coordinates, rotation, shift, s);
  HWY_DYNAMIC_DISPATCH(PullBeads)(frame(spec, s), s.positions.data(), s.amplitudes.data(), amplitudes.size(), s.pulls.data());
  const float inverse = 1 / spec.pixel_size;
  for (std::size_t n = 0; n < amplitudes.size(); ++n) {
    const float gx = s.pulls[2 * n] * inverse, gy = s.pulls[2 * n + 1] * inverse;
    for (int k = 0; k < 3; ++k) coordinate_gradient[3 * n + k] = rotation[k] * gx + rotation[3 + k] * gy;
  }
}

void project(const ProjectionSpec& spec, std::span<const float> amplitudes, int batch, const float* coordinates,
             const float* rotations, const float* shifts, float* images) {
  const std::size_t beads = amplitudes.size(), pixels = static_cast<std::size_t>(spec.box) * spec.box;
  parallel_for(batch, [&](std::size_t i) {
    project_one(spec, amplitudes, coordinates + 3 * beads * i, rotations + 9 * i, shifts + 2 * i, images + pixels * i);
  });
}

void project_backward(const ProjectionSpec& spec, std::span<const float> amplitudes, int batch, const float* coordinates,
                      const float* rotations, const float* shifts, const float* image_gradients,
                      float* coordinate_gradients) {
  const std::size_t beads = amplitudes.size(), pixels = static_cast<std::size_t>(spec.box) * spec.box;
  parallel_for(batch, [&](std::size_t i) {
    project_one_backward(spec, amplitudes, coordinates + 3 * beads * i, rotations + 9 * i, shifts + 2 * i,
                         image_gradients + pixels * i, coordinate_gradients + 3 * beads * i);
  });
}

}  // namespace cryoscape::projection
#endif  // HWY_ONCE
