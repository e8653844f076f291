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
      : side_(field.side()),
        step_(field.step()),
        nodes_(nodes),
        row_(static_cast<std::size_t>(side_ + 1) * kNode) {}  // one more, for voxels at the last node

  const float* at(int y, int z) {
    const int y0 = y / step_, z0 = z / step_;
    const float fy = static_cast<float>(y % step_) / static_cast<float>(step_),
                fz = static_cast<float>(z % step_) / static_cast<float>(step_);
    const int y1 = std::min(y0 + 1, side_ - 1), z1 = std::min(z0 + 1, side_ - 1);
    const float *a = nodes_at(y0, z0), *b = nodes_at(y1, z0), *c = nodes_at(y0, z1), *d = nodes_at(y1, z1);
    const auto count = static_cast<std::size_t>(side_) * kNode;
    for (std::size_t i = 0; i < count; ++i)
      row_[i] = (1 - fz) * ((1 - fy) * a[i] + fy * b[i]) + fz * ((1 - fy) * c[i] + fy * d[i]);
    return row_.data();
  }

 private:
  static constexpr std::size_t kNode = 2 * kGroup;

  const float* nodes_at(int y, int z) const {
    return nodes_ + (static_cast<std::size_t>(z) * side_ + y) * side_ * kNode;
  }

  int side_, step_;
  const float* nodes_;
  std::vector<float> row_;
};

}  // namespace

BackProjectionFilter::BackProjectionFilter(Accumulator sums)
    : inverse_(std::move(sums)), correction_(interpolation_correction(inverse_.box)) {
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

ImageGroup::ImageGroup(int box_)
    : box(box_), axes{}, pixels(static_cast<std::size_t>(kGroup) * kFine * box_ * kFine * box_) {}

std::span<float> ImageGroup::image(std::size_t k) {
  const auto area = static_cast<std::size_t>(kFine * box) * (kFine * box);
  return std::span(pixels).subspan(k * area, area);
}

void ImageGroup::clear_from(std::size_t count) {
  for (std::size_t k = count; k < kGroup; ++k) std::ranges::fill(image(k), 0.0f);
}

void BackProjectionFilter::apply(const Slice& slice, ImageGroup& group, std::size_t k) const {
  const int box = slice.box, fine = kFine * box, columns = box / 2 + 1;
  group.axes[k] = slice.axes;
  std::vector<Complex> spectrum(optics::half_size(fine));
  for (int row = 0; row < box; ++row) {
    const int ky = optics::row_frequency(row, box);
    for (int kx = slice.rows[row].begin; kx < slice.rows[row].end; ++kx) {
      std::array<double, 3> at{};
      for (int c = 0; c < 3; ++c)
        at[c] = kPadding * (double{slice.axes[c]} * kx + double{slice.axes[3 + c]} * ky);
      const auto& s = slice.samples[static_cast<std::size_t>(row) * columns + kx];
      // The origin is its own conjugate: its weight was counted twice, its sample is there once. The sign
      // moves the particle's centre to the middle of the image.
      const double factor = extract(inverse_, at).weight * correction_[kx] * correction_[std::abs(ky)] *
                            (kx == 0 && ky == 0 ? 2 : 1) * ((kx + ky) % 2 ? -1 : 1);
      const Complex value(static_cast<float>(factor * s.real), static_cast<float>(factor * s.imaginary));
      spectrum[static_cast<std::size_t>((ky + fine) % fine) * (fine / 2 + 1) + kx] = value;
      if (kx == 0 && ky != 0)
        spectrum[static_cast<std::size_t>((fine - ky) % fine) * (fine / 2 + 1)] = std::conj(value);
    }
  }
  const auto pixels = group.image(k);
  optics::irfft2(fine, spectrum.data(), pixels.data());
  // irfft2 divides by (2D)², the transform of the padded box by (2D)³.
  const float scale = 1.0f / static_cast<float>(kPadding * box);
  for (auto& v : pixels) v *= scale;
}

void project_displacements(const ImageGroup& group, std::size_t k, double pixel_size,
                           std::span<const float> displacements, std::span<float> projected) {
  const auto scale = static_cast<float>(kFine / pixel_size);
  const auto& a = group.axes[k];
  for (std::size_t b = 0; b < displacements.size() / 3; ++b) {
    const float* d = displacements.data() + 3 * b;
    for (std::size_t c = 0; c < 2; ++c)
      projected[(2 * b + c) * kGroup + k] =
          scale * (a[3 * c] * d[0] + a[3 * c + 1] * d[1] + a[3 * c + 2] * d[2]);
  }
}

void add_curved(const ImageGroup& group, const DisplacementField& field, std::span<const float> nodes,
                int first, int last, std::span<float> map) {
  const int box = group.box, half = box / 2;
  std::vector<std::int32_t> cell(box);
  std::vector<float> part(box);
  for (int x = 0; x < box; ++x) {
    cell[x] = x / field.step();
    part[x] = static_cast<float>(x % field.step()) / static_cast<float>(field.step());
  }
  std::array<float, 2 * kGroup> start{}, step{};
  CurvedRow row{group.pixels.data(),
                kFine * box,
                start.data(),
                step.data(),
                nullptr,
                cell.data(),
                part.data(),
                0,
                0,
                nullptr};
  FieldRow displacements(field, nodes.data());
  for (int z = first; z < last; ++z)
    for (int y = 0; y < box; ++y) {
      const int square = half * half - (z - half) * (z - half) - (y - half) * (y - half);
      if (square <= 0) continue;
      const int reach = static_cast<int>(std::sqrt(static_cast<double>(square)));
      for (int k = 0; k < kGroup; ++k)
        for (int c = 0; c < 2; ++c) {
          const float* a = group.axes[k].data() + 3 * c;
          step[c * kGroup + k] = kFine * a[0];
          start[c * kGroup + k] = static_cast<float>(box) + kFine * (-static_cast<float>(half) * a[0] +
                                                                     static_cast<float>(y - half) * a[1] +
                                                                     static_cast<float>(z - half) * a[2]);
        }
      row.nodes = displacements.at(y, z);
      row.begin = std::max(0, half - reach), row.end = std::min(box, half + reach + 1);
      row.out = map.data() + (static_cast<std::size_t>(z) * box + y) * box;
      add_curved_row(row);
    }
}

}  // namespace cryoscape::density
