#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cryoscape/inference/likelihood_table.hpp"

namespace cryoscape::inference {

/// A uniform grid along one or two variables, ends included. Points of two variables run with the last one
/// fastest.
struct PopulationGrid {
  struct Axis {
    double first = 0, last = 1;
    std::size_t nodes = 0;

    double at(std::size_t k) const {
      return first + (last - first) * static_cast<double>(k) / static_cast<double>(nodes - 1);
    }
    double length() const { return last - first; }
    /// Where a value stands, in spacings from the first point; beyond the axis too.
    double place(double value) const { return (value - first) / length() * static_cast<double>(nodes - 1); }
    /// The point nearest to a value.
    std::size_t nearest(double value) const;
  };
  std::vector<Axis> axes;
  /// Points that conformations reach, ascending; the population is 0 at the others. Empty: all are reached.
  std::vector<std::size_t> reached;

  std::size_t size() const;
  /// (K) 1 where a point is reached, else 0.
  std::vector<char> reaches() const;
  std::vector<std::size_t> nodes() const;
  double volume() const;
};

/// Likelihoods of M particles on a grid, each row divided by its largest: what a population is fitted to.
/// Entries below 1e-11 of the row's largest are left out.
struct PopulationTable {
  PopulationGrid grid;
  std::vector<std::uint32_t> group;   ///< (M) what is resampled together, 0 … groups() − 1
  std::vector<std::size_t> begin{0};  ///< (M + 1) first entry of each row
  std::vector<std::uint32_t> node;
  std::vector<float> likelihood;

  std::size_t size() const { return group.size(); }
  std::size_t groups() const;
  /// (M) 1/(rows of the group): a particle counts once however often it occurs.
  std::vector<double> weights() const;
  /// Appends a row of log likelihoods (nats, grid.size() of them) with any offset. Throws Error if one is not
  /// a number or all are −∞.
  void add(std::uint32_t of_group, std::span<const double> log_likelihood);
};

/// Numbers 0, 1, … of equal keys (image names, uids) in the order in which they first occur.
std::vector<std::uint32_t> groups_of(std::span<const std::string> keys);

/// How rows become likelihoods on the grid.
enum class Rows {
  exact,    ///< as tabulated, interpolated where there are slopes
  gaussian  ///< one Gaussian at the row's maximum with its curvature: for comparison only
};

/// The table's likelihoods along a uniform one-dimensional grid of nodes. With slopes, rows are refined by
/// cubic Hermite interpolation of ln A to a grid of at least `least_nodes` points that holds the nodes.
/// `groups` (M), or empty: every row for itself. Throws Error for nodes that are not evenly spaced.
PopulationTable population_table(const LikelihoodTable& table, std::span<const float> nodes,
                                 std::span<const std::uint32_t> groups = {}, Rows rows = Rows::exact,
                                 std::size_t least_nodes = 101);
/// The same along two variables: the table's nodes are the points of the grid that are reached.
PopulationTable population_table(const LikelihoodTable& table, const PopulationGrid& grid,
                                 std::span<const std::uint32_t> groups = {});
/// The table of positions that are known exactly: each shared between its two neighbours of the grid.
PopulationTable exact_positions(std::span<const double> positions, const PopulationGrid::Axis& axis);

/// Where each row is largest, along a one-dimensional grid: between grid points by a parabola through three.
std::vector<double> row_maxima(const PopulationTable& table);
/// Mean position of each row under a density (K) on the grid.
std::vector<double> posterior_means(const PopulationTable& table, std::span<const double> density);
/// Density of positions: shares of bins about the grid's points per unit length.
std::vector<double> histogram(std::span<const double> positions, const PopulationGrid::Axis& axis);

}  // namespace cryoscape::inference
