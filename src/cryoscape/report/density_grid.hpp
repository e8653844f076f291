#pragma once
#include <span>
#include <vector>

#include "cryoscape/report/svg_axis.hpp"

namespace cryoscape::report {

/// Values in equal cells that fill the ranges: counts of points, or any field; row by row along y.
struct DensityGrid {
  Range x, y;
  std::size_t columns = 0, rows = 0;
  std::vector<double> values;

  double at(std::size_t column, std::size_t row) const { return values[row * columns + column]; }
};

/// Counts points inside the ranges in `cells` columns and as many rows; coordinates that are not finite are
/// skipped.
DensityGrid count_points(std::span<const float> xs, std::span<const float> ys, Range x, Range y,
                         std::size_t cells);

/// Counts along one axis in equal bins.
std::vector<double> count_values(std::span<const float> values, Range range, std::size_t bins);

/// Blurs with a Gaussian of standard deviation `sigma` cells; what leaves the grid is lost.
void blur(DensityGrid& grid, double sigma);

/// The level above which the densest cells hold `share` (0…1) of the grid's sum.
double enclosing_level(const DensityGrid& grid, double share);

/// A straight piece of a contour, in data units.
struct Segment {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};

/// The contour of the grid, interpolated linearly between cell centres, at a level (marching squares). It
/// ends where values are not finite.
std::vector<Segment> contour(const DensityGrid& grid, double level);

/// `factor` cells in place of each along both axes, bilinear between cell centres and constant beyond the
/// outer ones; NaN where a value that takes part is not finite.
DensityGrid refined(const DensityGrid& grid, std::size_t factor);

}  // namespace cryoscape::report
