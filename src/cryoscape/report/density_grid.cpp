#include "cryoscape/report/density_grid.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>

namespace cryoscape::report {
namespace {

/// The cell of a value, or `cells` when it lies outside.
std::size_t cell_of(double value, Range range, std::size_t cells) {
  const double u = (value - range.low) / range.width();
  if (!(u >= 0 && u <= 1)) return cells;
  return std::min(cells - 1, static_cast<std::size_t>(u * static_cast<double>(cells)));
}

double centre_of(std::size_t cell, Range range, std::size_t cells) {
  return range.low + range.width() * (static_cast<double>(cell) + 0.5) / static_cast<double>(cells);
}

/// Where a contour crosses an edge between cell centres.
struct Crossing {
  double x = 0, y = 0;
};

/// Between which two of `cells` centres the k-th of factor · cells finer ones lies, and how far from the
/// first.
struct Between {
  std::size_t first, second;
  double share;
};
Between between(std::size_t k, std::size_t factor, std::size_t cells) {
  const double at = (static_cast<double>(k) + 0.5) / static_cast<double>(factor) - 0.5;
  const double inside = std::clamp(at, 0.0, static_cast<double>(cells - 1));
  const auto first = static_cast<std::size_t>(inside);
  return {first, std::min(cells - 1, first + 1), inside - static_cast<double>(first)};
}

/// Blurs one line of a grid: `values[offset + k · stride]`.
void blur_line(std::vector<double>& values, std::size_t offset, std::size_t stride, std::size_t length,
               std::span<const double> kernel) {
  const auto reach = static_cast<std::ptrdiff_t>(kernel.size()) - 1;
  const auto n = static_cast<std::ptrdiff_t>(length);
  std::vector<double> line(length, 0.0);
  for (std::ptrdiff_t i = 0; i < n; ++i)
    for (std::ptrdiff_t k = std::max<std::ptrdiff_t>(0, i - reach); k <= std::min(n - 1, i + reach); ++k)
      line[static_cast<std::size_t>(i)] += kernel[static_cast<std::size_t>(std::abs(i - k))] *
                                           values[offset + static_cast<std::size_t>(k) * stride];
  for (std::size_t i = 0; i < length; ++i) values[offset + i * stride] = line[i];
}

}  // namespace

DensityGrid count_points(std::span<const float> xs, std::span<const float> ys, Range x, Range y,
                         std::size_t cells) {
  DensityGrid grid{x, y, cells, cells, std::vector<double>(cells * cells, 0.0)};
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const auto column = cell_of(xs[i], x, cells), row = cell_of(ys[i], y, cells);
    if (column < cells && row < cells) grid.values[row * cells + column] += 1;
  }
  return grid;
}

std::vector<double> count_values(std::span<const float> values, Range range, std::size_t bins) {
  std::vector<double> counts(bins, 0.0);
  for (const float v : values)
    if (const auto bin = cell_of(v, range, bins); bin < bins) counts[bin] += 1;
  return counts;
}

void blur(DensityGrid& grid, double sigma) {
  std::vector<double> kernel;
  for (int k = 0; k <= static_cast<int>(std::ceil(4 * sigma)); ++k)
    kernel.push_back(std::exp(-0.5 * k * k / (sigma * sigma)));
  const double sum = 2 * std::accumulate(kernel.begin(), kernel.end(), 0.0) - kernel[0];
  for (auto& k : kernel) k /= sum;
  const std::size_t columns = grid.columns, rows = grid.rows;
  for (std::size_t r = 0; r < rows; ++r) blur_line(grid.values, r * columns, 1, columns, kernel);
  for (std::size_t c = 0; c < columns; ++c) blur_line(grid.values, c, columns, rows, kernel);
}

double enclosing_level(const DensityGrid& grid, double share) {
  auto sorted = grid.values;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  const double wanted = share * std::accumulate(sorted.begin(), sorted.end(), 0.0);
  double sum = 0;
  for (const double value : sorted)
    if ((sum += value) >= wanted) return value;
  return 0;
}

std::vector<Segment> contour(const DensityGrid& grid, double level) {
  std::vector<Segment> out;
  for (std::size_t row = 0; row + 1 < grid.rows; ++row)
    for (std::size_t column = 0; column + 1 < grid.columns; ++column) {
      // Corners counter-clockwise; an edge joins a corner to the next.
      const std::array<std::array<std::size_t, 2>, 4> corner{
          {{column, row}, {column + 1, row}, {column + 1, row + 1}, {column, row + 1}}};
      std::array<Crossing, 4> crossing;
      std::size_t found = 0;
      double mean = 0;
      for (const auto& c : corner) mean += 0.25 * grid.at(c[0], c[1]);
      if (!std::isfinite(mean)) continue;
      const bool first_above = grid.at(column, row) >= level;
      for (std::size_t e = 0; e < 4; ++e) {
        const auto &a = corner[e], &b = corner[(e + 1) % 4];
        const double va = grid.at(a[0], a[1]), vb = grid.at(b[0], b[1]);
        if ((va >= level) == (vb >= level)) continue;
        const double t = (level - va) / (vb - va);
        const double xa = centre_of(a[0], grid.x, grid.columns), ya = centre_of(a[1], grid.y, grid.rows);
        const double xb = centre_of(b[0], grid.x, grid.columns), yb = centre_of(b[1], grid.y, grid.rows);
        crossing[found++] = {xa + t * (xb - xa), ya + t * (yb - ya)};
      }
      const auto join = [&](std::size_t i, std::size_t j) {
        out.push_back({crossing[i].x, crossing[i].y, crossing[j].x, crossing[j].y});
      };
      if (found == 2) join(0, 1);
      // A saddle: the centre decides which corners belong together.
      if (found == 4) {
        const bool first_joins_centre = first_above == (mean >= level);
        if (first_joins_centre)
          join(0, 1), join(2, 3);
        else
          join(3, 0), join(1, 2);
      }
    }
  return out;
}

DensityGrid refined(const DensityGrid& grid, std::size_t factor) {
  DensityGrid out{grid.x, grid.y, factor * grid.columns, factor * grid.rows, {}};
  for (std::size_t row = 0; row < out.rows; ++row)
    for (std::size_t column = 0; column < out.columns; ++column) {
      const auto u = between(column, factor, grid.columns), v = between(row, factor, grid.rows);
      const double below = (1 - u.share) * grid.at(u.first, v.first) + u.share * grid.at(u.second, v.first),
                   above = (1 - u.share) * grid.at(u.first, v.second) + u.share * grid.at(u.second, v.second);
      const double value = (1 - v.share) * below + v.share * above;
      out.values.push_back(std::isfinite(value) ? value : std::nan(""));
    }
  return out;
}

}  // namespace cryoscape::report
