#include "cryoscape/inference/population_table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_map>

#include "cryoscape/util/error.hpp"

namespace cryoscape::inference {
namespace {

constexpr double kLeastLogLikelihood = -25;  // 1e-11, of the row's largest
constexpr double kUneven = 1e-3;             // of a spacing

/// ln A between nodes a and b, `u` ∈ [0, 1] of the way, from values and slopes times the spacing.
double hermite(double a, double slope_a, double b, double slope_b, double u) {
  const double v = 1 - u;
  return v * v * ((1 + 2 * u) * a + u * slope_a) + u * u * ((1 + 2 * v) * b - v * slope_b);
}

/// The vertex of the parabola through three equally spaced values, the middle one not the least, in spacings
/// from the middle; and its curvature.
struct Vertex {
  double offset = 0, curvature = 0;
};
Vertex vertex(double left, double middle, double right) {
  const double curvature = left - 2 * middle + right;
  return {curvature < 0 ? std::clamp(0.5 * (left - right) / curvature, -1.0, 1.0) : 0.0, curvature};
}

PopulationGrid::Axis even_axis(std::span<const float> nodes) {
  if (nodes.size() < 4) fail("a population needs a grid of at least 4 points, not {}", nodes.size());
  const PopulationGrid::Axis axis{nodes.front(), nodes.back(), nodes.size()};
  const double spacing = axis.length() / static_cast<double>(nodes.size() - 1);
  for (std::size_t k = 0; k < nodes.size(); ++k)
    if (!(std::abs(nodes[k] - axis.at(k)) <= kUneven * spacing) || spacing <= 0)
      fail("the grid of a population must ascend in even steps: point {} is at {:g}", k + 1, nodes[k]);
  return axis;
}

/// Replaces a row by the Gaussian at its maximum; one without a maximum by its curvature there is flat.
void replace_by_gaussian(std::vector<double>& row) {
  const auto last = row.size() - 1;
  const auto top = static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
  const auto k = std::clamp<std::size_t>(top, 1, last - 1);
  const auto [offset, curvature] = vertex(row[k - 1], row[k], row[k + 1]);
  const double at = top == k ? static_cast<double>(k) + offset : static_cast<double>(top);
  for (std::size_t i = 0; i < row.size(); ++i)
    row[i] = 0.5 * std::min(curvature, 0.0) * (static_cast<double>(i) - at) * (static_cast<double>(i) - at);
}

std::uint32_t group_at(std::span<const std::uint32_t> groups, std::size_t row) {
  return groups.empty() ? static_cast<std::uint32_t>(row) : groups[row];
}

void check_groups(const LikelihoodTable& table, std::span<const std::uint32_t> groups) {
  if (!groups.empty() && groups.size() != table.size())
    fail("a table of {} rows cannot have {} names", table.size(), groups.size());
}

}  // namespace

std::size_t PopulationGrid::Axis::nearest(double value) const {
  return static_cast<std::size_t>(std::clamp(std::round(place(value)), 0.0, static_cast<double>(nodes - 1)));
}

std::size_t PopulationGrid::size() const {
  std::size_t n = axes.empty() ? 0 : 1;
  for (const auto& axis : axes) n *= axis.nodes;
  return n;
}

std::vector<char> PopulationGrid::reaches() const {
  std::vector<char> out(size(), reached.empty());
  for (const auto k : reached) out.at(k) = 1;
  return out;
}

std::vector<std::size_t> PopulationGrid::nodes() const {
  std::vector<std::size_t> out;
  for (const auto& axis : axes) out.push_back(axis.nodes);
  return out;
}

double PopulationGrid::volume() const {
  double v = 1;
  for (const auto& axis : axes) v *= axis.length();
  return v;
}

std::size_t PopulationTable::groups() const {
  return group.empty() ? 0 : static_cast<std::size_t>(*std::max_element(group.begin(), group.end())) + 1;
}

std::vector<double> PopulationTable::weights() const {
  std::vector<double> rows(groups(), 0.0), out;
  for (const auto g : group) ++rows[g];
  for (const auto g : group) out.push_back(1 / rows[g]);
  return out;
}

void PopulationTable::add(std::uint32_t of_group, std::span<const double> log_likelihood) {
  const double largest = *std::max_element(log_likelihood.begin(), log_likelihood.end());
  const bool numbers =
      std::none_of(log_likelihood.begin(), log_likelihood.end(), [](double v) { return std::isnan(v); });
  if (!numbers || !std::isfinite(largest)) fail("row {} of a likelihood table is not finite", size() + 1);
  for (std::size_t k = 0; k < log_likelihood.size(); ++k)
    if (const double v = log_likelihood[k] - largest; v > kLeastLogLikelihood) {
      node.push_back(static_cast<std::uint32_t>(k));
      likelihood.push_back(static_cast<float>(std::exp(v)));
    }
  begin.push_back(node.size());
  group.push_back(of_group);
}

std::vector<std::uint32_t> groups_of(std::span<const std::string> keys) {
  std::unordered_map<std::string_view, std::uint32_t> known;
  std::vector<std::uint32_t> out;
  for (const auto& key : keys)
    out.push_back(known.emplace(key, static_cast<std::uint32_t>(known.size())).first->second);
  return out;
}

PopulationTable population_table(const LikelihoodTable& table, std::span<const float> nodes,
                                 std::span<const std::uint32_t> groups, Rows rows, std::size_t least_nodes) {
  check_groups(table, groups);
  const auto coarse = even_axis(nodes);
  if (coarse.nodes != table.nodes) fail("a table of {} nodes has {} positions", table.nodes, coarse.nodes);
  const std::size_t gaps = coarse.nodes - 1;
  const std::size_t parts =
      table.slope.empty() ? 1 : std::max<std::size_t>(1, (least_nodes + gaps - 2) / gaps);
  const double spacing = coarse.length() / static_cast<double>(gaps);
  PopulationTable out;
  out.grid.axes = {{coarse.first, coarse.last, gaps * parts + 1}};
  std::vector<double> row(gaps * parts + 1);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto values = table.values_of(i);
    for (std::size_t k = 0; k < gaps && parts > 1; ++k)
      for (std::size_t part = 0; part < parts; ++part)
        row[k * parts + part] = hermite(values[k], spacing * table.slopes_of(i)[k], values[k + 1],
                                        spacing * table.slopes_of(i)[k + 1],
                                        static_cast<double>(part) / static_cast<double>(parts));
    if (parts == 1) std::copy(values.begin(), values.end(), row.begin());
    row.back() = values[gaps];
    if (rows == Rows::gaussian) replace_by_gaussian(row);
    out.add(group_at(groups, i), row);
  }
  return out;
}

PopulationTable population_table(const LikelihoodTable& table, const PopulationGrid& grid,
                                 std::span<const std::uint32_t> groups) {
  check_groups(table, groups);
  const auto points = grid.reached.empty() ? grid.size() : grid.reached.size();
  if (points != table.nodes) fail("a table of {} nodes has {} grid points", table.nodes, points);
  PopulationTable out;
  out.grid = grid;
  std::vector<double> row(grid.size(), -std::numeric_limits<double>::infinity());
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto values = table.values_of(i);
    for (std::size_t k = 0; k < points; ++k) row[grid.reached.empty() ? k : grid.reached[k]] = values[k];
    out.add(group_at(groups, i), row);
  }
  return out;
}

PopulationTable exact_positions(std::span<const double> positions, const PopulationGrid::Axis& axis) {
  PopulationTable out;
  out.grid.axes = {axis};
  for (const double s : positions) {
    const double x =
        std::clamp((s - axis.first) / axis.length(), 0.0, 1.0) * static_cast<double>(axis.nodes - 1);
    const auto k = std::min(static_cast<std::size_t>(x), axis.nodes - 2);
    const double share = x - static_cast<double>(k);
    out.node.insert(out.node.end(), {static_cast<std::uint32_t>(k), static_cast<std::uint32_t>(k + 1)});
    out.likelihood.insert(out.likelihood.end(), {static_cast<float>(1 - share), static_cast<float>(share)});
    out.begin.push_back(out.node.size());
    out.group.push_back(static_cast<std::uint32_t>(out.group.size()));
  }
  return out;
}

std::vector<double> row_maxima(const PopulationTable& table) {
  const auto& axis = table.grid.axes.front();
  const double spacing = axis.length() / static_cast<double>(axis.nodes - 1);
  std::vector<double> out;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto first = table.begin[i], last = table.begin[i + 1];
    auto top = first;
    for (auto j = first; j < last; ++j)
      if (table.likelihood[j] > table.likelihood[top]) top = j;
    double at = axis.at(table.node[top]);
    const bool between = top > first && top + 1 < last && table.node[top - 1] + 1 == table.node[top] &&
                         table.node[top] + 1 == table.node[top + 1];
    const auto log_at = [&](std::size_t j) { return std::log(table.likelihood[j]); };
    if (between) at += spacing * vertex(log_at(top - 1), log_at(top), log_at(top + 1)).offset;
    out.push_back(at);
  }
  return out;
}

std::vector<double> posterior_means(const PopulationTable& table, std::span<const double> density) {
  const auto& axis = table.grid.axes.front();
  std::vector<double> out;
  for (std::size_t i = 0; i < table.size(); ++i) {
    double mass = 0, sum = 0;
    for (auto j = table.begin[i]; j < table.begin[i + 1]; ++j) {
      const auto k = table.node[j];
      const double end = k == 0 || k + 1 == axis.nodes ? 0.5 : 1.0;
      const double share = end * table.likelihood[j] * density[k];
      mass += share, sum += share * axis.at(k);
    }
    out.push_back(mass > 0 ? sum / mass : std::nan(""));
  }
  return out;
}

std::vector<double> histogram(std::span<const double> positions, const PopulationGrid::Axis& axis) {
  const double spacing = axis.length() / static_cast<double>(axis.nodes - 1);
  std::vector<double> out(axis.nodes, 0.0);
  for (const double s : positions) ++out[axis.nearest(s)];
  for (std::size_t k = 0; k < out.size(); ++k) {
    const double width = spacing * (k == 0 || k + 1 == out.size() ? 0.5 : 1.0);
    out[k] /= width * static_cast<double>(std::max<std::size_t>(1, positions.size()));
  }
  return out;
}

}  // namespace cryoscape::inference
