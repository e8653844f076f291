#pragma once
#include <optional>
#include <vector>

namespace cryoscape::landscape {

/// Evenly spaced points of one variable, the middles of cells.
struct GridAxis {
  double first = 0, spacing = 1;
  std::size_t count = 0;
  bool closed = false;  ///< whether the variable ends where the grid does, as positions along a path do

  double at(std::size_t i) const { return first + spacing * static_cast<double>(i); }
};

/// A grid for values: from 0 to 1 where the variable ends there, else over all values and a tenth of their
/// range beyond. Throws Error if the values do not vary.
GridAxis grid_axis(const std::vector<double>& values, bool unit_interval, std::size_t count);

/// Shares of samples in the cells of a grid of one or two axes, the last axis fastest; those beyond it are
/// left out. `values` has one entry per axis.
std::vector<double> histogram(const std::vector<GridAxis>& axes,
                              const std::vector<std::vector<double>>& values);

/// The density of samples on a grid: a Gaussian kernel on the histogram, mirrored at closed ends, whose width
/// is the share of Silverman's (1986) for each variable that leaves the samples' likelihood largest with each
/// left out in turn. Sums to 1.
std::vector<double> smooth_density(const std::vector<GridAxis>& axes,
                                   const std::vector<std::vector<double>>& values);

/// F = −ln p, 0 at its minimum, kT; nothing in cells where fewer than 0.01 of so many samples are expected.
std::vector<std::optional<double>> free_energy(const std::vector<double>& density, std::size_t samples);

}  // namespace cryoscape::landscape
