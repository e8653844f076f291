#include "cryoscape/density/curved_projection.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "cryoscape/density/reconstruction.hpp"
#include "cryoscape/optics/fft.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::density {
namespace {

using Complex = std::complex<float>;

constexpr double kFloor = 1e-3;
constexpr int kFine = 2;  ///< pixels of a filtered image per pixel

/// 1/sinc² of linear interpolation between fine pixels, by frequency 0 … D/2.
std::vector<double> interpolation_correction(int box) {
  std::vector<double> out;
  for (int k = 0; k <= box / 2; ++k) {
    const double x = std::numbers::pi * k / (kFine * box), sinc = k == 0 ? 1 : std::sin(x) / x;
    out.push_back(1 / (sinc * sinc));
  }
  return out;
}

/// The field along a row of voxels: linear between the four rows of nodes around it.
class FieldRow {
 public:
  FieldRow(const DisplacementField& field, const float* nodes)
      : side_(field.side()), step_(field.step()), nodes_(nodes), row_(2 * static_cast<std::size_t>(side_)) {}

  void set(int y, int z) {
    const int y0 = y / step_, z0 = z / step_;
    const float fy = static_cast<float>(y % step_) / static_cast<float>(step_),
                fz = static_cast<float>(z % step_) / static_cast<float>(step_);
    const int y1 = std::min(y0 + 1, side_ - 1), z1 = std::min(z0 + 1, side_ - 1);
    const float *a = at(y0, z0), *b = at(y1, z0), *c = at(y0, z1), *d = at(y1, z1);
    for (std::size_t i = 0; i < row_.size(); ++i)
      row_[i] = (1 - fz) * ((1 - fy) * a[i] + fy * b[i]) + fz * ((1 - fy) * c[i] + fy * d[i]);
  }
  const float* values() const { return row_.data(); }

 private:
  const float* at(int y, int z) const {
    return nodes_ + 2 * (static_cast<std::size_t>(z) * side_ + y) * side_;
  }

  int side_, step_;
  const float* nodes_;
  std::vector<float> row_;
};

/// Value of an image at a point, linear between pixels; 0 outside.
float sample(const FilteredImage& image, int side, float x, float y) {
  const float last = static_cast<float>(side - 1);
  if (!(x >= 0 && y >= 0 && x < last && y < last)) return 0;
  const int ix = static_cast<int>(x), iy = static_cast<int>(y);
  const float fx = x - static_cast<float>(ix), fy = y - static_cast<float>(iy);
  const float* p = image.pixels.data() + static_cast<std::size_t>(iy) * side + ix;
  return (1 - fy) * ((1 - fx) * p[0] + fx * p[1]) + fy * ((1 - fx) * p[side] + fx * p[side + 1]);
}

}  // namespace

BackProjectionFilter::BackProjectionFilter(Accumulator sums) : inverse_(std::move(sums)) {
  const Accumulator* only[] = {&inverse_};
  const auto means = shell_weights(only);
  const int edge = inverse_.centre;
  parallel_for(static_cast<std::size_t>(inverse_.planes), [&](std::size_t z) {
    for (int y = -edge; y <= edge; ++y)
      for (int x = -edge; x <= edge; ++x) {
        const double radius =
            std::sqrt(static_cast<double>(x) * x + static_cast<double>(y) * y + static_cast<double>(z * z)) /
            kPadding;
        const auto shell = std::min(means.size() - 1, static_cast<std::size_t>(std::lround(radius)));
        auto& v = inverse_.voxels[inverse_.index(x, y, static_cast<int>(z))];
        const double weight = v.weight + kFloor * means[shell];
        v = {0, 0, weight > 0 ? static_cast<float>(1 / weight) : 0.0f, 0};
      }
  });
}

void BackProjectionFilter::apply(const Slice& slice, FilteredImage& image) const {
  const int box = slice.box, fine = kFine * box, columns = box / 2 + 1;
  image.box = box, image.axes = slice.axes;
  std::vector<Complex> spectrum(optics::half_size(fine));
  const auto correction = interpolation_correction(box);
  for (int row = 0; row < box; ++row) {
    const int ky = optics::row_frequency(row, box);
    for (int kx = slice.rows[row].begin; kx < slice.rows[row].end; ++kx) {
      std::array<double, 3> k{};
      for (int c = 0; c < 3; ++c)
        k[c] = kPadding * (double{slice.axes[c]} * kx + double{slice.axes[3 + c]} * ky);
      const auto& s = slice.samples[static_cast<std::size_t>(row) * columns + kx];
      // The origin is its own conjugate: its weight was counted twice, its sample is there once. The sign
      // moves the particle's centre to the middle of the image.
      const double factor = extract(inverse_, k).weight * correction[kx] * correction[std::abs(ky)] *
                            (kx == 0 && ky == 0 ? 2 : 1) * ((kx + ky) % 2 ? -1 : 1);
      const Complex value(static_cast<float>(factor * s.real), static_cast<float>(factor * s.imaginary));
      spectrum[static_cast<std::size_t>((ky + fine) % fine) * (fine / 2 + 1) + kx] = value;
      if (kx == 0 && ky != 0)
        spectrum[static_cast<std::size_t>((fine - ky) % fine) * (fine / 2 + 1)] = std::conj(value);
    }
  }
  image.pixels.resize(static_cast<std::size_t>(fine) * fine);
  optics::irfft2(fine, spectrum.data(), image.pixels.data());
  // irfft2 divides by (2D)², the transform of the padded box by (2D)³.
  const float scale = 1.0f / static_cast<float>(kPadding * box);
  for (auto& v : image.pixels) v *= scale;
}

void project_displacements(const FilteredImage& image, double pixel_size,
                           std::span<const float> displacements, std::span<float> projected) {
  const auto scale = static_cast<float>(kFine / pixel_size);
  const auto& a = image.axes;
  for (std::size_t b = 0; b < displacements.size() / 3; ++b) {
    const float* d = displacements.data() + 3 * b;
    for (int c = 0; c < 2; ++c)
      projected[2 * b + c] = scale * (a[3 * c] * d[0] + a[3 * c + 1] * d[1] + a[3 * c + 2] * d[2]);
  }
}

void add_curved(const FilteredImage& image, const DisplacementField& field, std::span<const float> nodes,
                int first, int last, std::span<float> map) {
  const int box = image.box, half = box / 2, side = kFine * box, step = field.step();
  const auto& a = image.axes;
  const float part = 1.0f / static_cast<float>(step);
  FieldRow row(field, nodes.data());
  for (int z = first; z < last; ++z)
    for (int y = 0; y < box; ++y) {
      const int square = half * half - (z - half) * (z - half) - (y - half) * (y - half);
      if (square <= 0) continue;
      const int reach = static_cast<int>(std::sqrt(static_cast<double>(square)));
      row.set(y, z);
      const float* u = row.values();
      const auto dy = static_cast<float>(kFine * (y - half)), dz = static_cast<float>(kFine * (z - half));
      const float x0 = static_cast<float>(box) + a[1] * dy + a[2] * dz,
                  y0 = static_cast<float>(box) + a[4] * dy + a[5] * dz;
      float* out = map.data() + (static_cast<std::size_t>(z) * box + y) * box;
      for (int x = std::max(0, half - reach); x <= std::min(box - 1, half + reach); ++x) {
        const int cell = x / step;
        const float f = static_cast<float>(x - cell * step) * part,
                    dx = static_cast<float>(kFine * (x - half));
        const float* v = u + 2 * cell;
        const float* w = u + 2 * std::min(cell + 1, field.side() - 1);
        out[x] += sample(image, side, x0 + a[0] * dx + (1 - f) * v[0] + f * w[0],
                         y0 + a[3] * dx + (1 - f) * v[1] + f * w[1]);
      }
    }
}

}  // namespace cryoscape::density
