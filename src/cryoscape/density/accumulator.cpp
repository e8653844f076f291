#include "cryoscape/density/accumulator.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <complex>

#include "cryoscape/density/insertion_kernel.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::density {
namespace {

constexpr int kSlab = 8;          ///< planes: few enough for a cache, many enough for whole stretches of rows
constexpr double kInside = 1e-3;  ///< what keeps rounding from leading out of the grid

/// Axes of a slice in grid steps, turned.
std::array<double, 6> grid_axes(const std::array<float, 6>& axes, const std::array<float, 9>& turn) {
  std::array<double, 6> out{};
  for (int a = 0; a < 2; ++a)
    for (int c = 0; c < 3; ++c)
      for (int k = 0; k < 3; ++k) out[3 * a + c] += kPadding * double{axes[3 * a + k]} * turn[3 * k + c];
  return out;
}

/// Columns of one row by their z = z0 + kx·dz: those at or above a threshold are one stretch up to, or from,
/// a column that moves one way with the threshold. So slabs share out the columns exactly, however z is
/// rounded.
struct RowHeight {
  double z0, dz, inverse;

  /// [begin, end) cut to thresholds low ≤ z < high.
  RowRange between(double low, double high, RowRange range) const {
    if (dz == 0) return z0 >= low && z0 < high ? range : RowRange{0, 0};
    const int a = column(low, range), b = column(high, range);
    return dz > 0 ? RowRange{a, b} : RowRange{b, a};
  }

 private:
  int column(double threshold, RowRange range) const {
    const double at = (threshold - z0) * inverse;
    const double whole = dz > 0 ? std::ceil(at) : std::floor(at) + 1;
    return static_cast<int>(std::clamp<double>(whole, range.begin, range.end));
  }
};

void insert_turned(Accumulator& sums, const Slice& slice, const std::array<double, 6>& axes, int first,
                   int last) {
  const int box = slice.box, columns = box / 2 + 1;
  RowHeight height{0, axes[2], axes[2] == 0 ? 0 : 1 / axes[2]};
  for (int row = 0; row < box; ++row) {
    const auto range = slice.rows[row];
    if (range.begin >= range.end) continue;
    const int ky = optics::row_frequency(row, box);
    const double origin[3] = {ky * axes[3], ky * axes[4], ky * axes[5]};
    height.z0 = origin[2];
    for (const bool conjugate : {false, true}) {
      const auto part = conjugate ? height.between(-last, first == 0 ? 0 : -first, range)
                                  : height.between(first, last, range);
      if (part.begin >= part.end) continue;
      SampleRun run;
      run.samples = slice.samples.data() + static_cast<std::size_t>(row) * columns + part.begin;
      run.count = part.end - part.begin;
      const double sign = conjugate ? -1 : 1;
      for (int c = 0; c < 3; ++c) {
        run.start[c] =
            static_cast<float>(sign * (origin[c] + part.begin * axes[c]) + (c < 2 ? sums.centre : 0));
        run.step[c] = static_cast<float>(sign * axes[c]);
      }
      run.first = first, run.last = last, run.conjugate = conjugate;
      spread_run(run, sums.side, sums.voxels.data());
    }
  }
}

}  // namespace

std::vector<RowRange> sphere_rows(int box, const std::array<float, 6>& axes) {
  const double radius = 0.5 * box - kInside;
  const auto dot = [&](int a, int b) {
    return double{axes[a]} * axes[b] + double{axes[a + 1]} * axes[b + 1] + double{axes[a + 2]} * axes[b + 2];
  };
  const double xx = dot(0, 0), xy = dot(0, 3), yy = dot(3, 3);
  std::vector<RowRange> rows(box);
  for (int row = 0; row < box; ++row) {
    if (row == box / 2) continue;
    const int ky = optics::row_frequency(row, box);
    // |kx·a + ky·b| < radius is a stretch of kx.
    const double middle = -xy * ky / xx, rest = middle * middle + (radius * radius - yy * ky * ky) / xx;
    if (rest <= 0) continue;
    const double half = std::sqrt(rest);
    const int least = ky < 0 ? 1 : 0;  // of (0, ky) and (0, −ky) one
    rows[row].begin = std::max(least, static_cast<int>(std::ceil(middle - half)));
    rows[row].end = std::min(box / 2, static_cast<int>(std::floor(middle + half)) + 1);
  }
  return rows;
}

Accumulator::Accumulator(int box_)
    : box(box_),
      centre(box_ + 1),
      side(2 * box_ + 3),
      planes(box_ + 2),
      voxels(static_cast<std::size_t>(planes) * side * side) {}

void insert_slice(Accumulator& sums, const Slice& slice, std::span<const std::array<float, 9>> turns,
                  int first, int last) {
  for (const auto& turn : turns) insert_turned(sums, slice, grid_axes(slice.axes, turn), first, last);
}

void insert_slice_reference(Accumulator& sums, const Slice& slice,
                            std::span<const std::array<float, 9>> turns) {
  const int box = slice.box;
  for (const auto& turn : turns) {
    const auto axes = grid_axes(slice.axes, turn);
    for (int row = 0; row < box; ++row)
      for (int kx = slice.rows[row].begin; kx < slice.rows[row].end; ++kx) {
        const int ky = optics::row_frequency(row, box);
        std::array<double, 3> k{};
        for (int c = 0; c < 3; ++c) k[c] = kx * axes[c] + ky * axes[3 + c];
        const double sign = k[2] < 0 ? -1 : 1;
        for (double& c : k) c *= sign;
        const auto& s = slice.samples[static_cast<std::size_t>(row) * (box / 2 + 1) + kx];
        for (int corner = 0; corner < 8; ++corner) {
          double weight = 1;
          int at[3];
          for (int c = 0; c < 3; ++c) {
            const double floor = std::floor(k[c]), part = k[c] - floor;
            const int bit = corner >> c & 1;
            weight *= bit ? part : 1 - part;
            at[c] = static_cast<int>(floor) + bit;
          }
          auto& v = sums.voxels[sums.index(at[0], at[1], at[2])];
          v.real += static_cast<float>(weight * s.real);
          v.imaginary += static_cast<float>(sign * weight * s.imaginary);
          v.weight += static_cast<float>(weight * s.weight);
        }
      }
  }
}

void insert_slices(Accumulator& sums, std::span<const Slice* const> slices,
                   std::span<const std::array<float, 9>> turns) {
  const int slabs = (sums.planes - 1 + kSlab - 1) / kSlab;
  // A slab also adds to the first plane of the next one, so neighbours take turns.
  for (const int odd : {0, 1}) {
    std::atomic<int> next{odd};
    parallel_for(static_cast<std::size_t>(thread_count()), [&](std::size_t) {
      for (int slab; (slab = next.fetch_add(2)) < slabs;) {
        const int first = slab * kSlab, last = std::min(first + kSlab, sums.planes - 1);
        for (const auto* slice : slices) insert_slice(sums, *slice, turns, first, last);
      }
    });
  }
}

void complete(Accumulator& sums) {
  const int edge = sums.centre;
  for (int y = 0; y <= edge; ++y)
    for (int x = y == 0 ? 0 : -edge; x <= edge; ++x) {
      auto &a = sums.voxels[sums.index(x, y, 0)], &b = sums.voxels[sums.index(-x, -y, 0)];
      const Sample sum{a.real + b.real, a.imaginary - b.imaginary, a.weight + b.weight, 0};
      a = sum;
      b = {sum.real, -sum.imaginary, sum.weight, 0};
    }
}

Sample extract(const Accumulator& sums, const std::array<double, 3>& k) {
  const double sign = k[2] < 0 ? -1 : 1;
  double real = 0, imaginary = 0, total = 0;
  for (int corner = 0; corner < 8; ++corner) {
    double weight = 1;
    int at[3];
    for (int c = 0; c < 3; ++c) {
      const double floor = std::floor(sign * k[c]), part = sign * k[c] - floor;
      const int bit = corner >> c & 1;
      weight *= bit ? part : 1 - part;
      at[c] = static_cast<int>(floor) + bit;
    }
    const auto& v = sums.voxels[sums.index(at[0], at[1], at[2])];
    real += weight * v.real, imaginary += weight * sign * v.imaginary, total += weight * v.weight;
  }
  return {static_cast<float>(real), static_cast<float>(imaginary), static_cast<float>(total), 0};
}

}  // namespace cryoscape::density
