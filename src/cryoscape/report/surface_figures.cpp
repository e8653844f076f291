#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/inference/basins.hpp"
#include "cryoscape/report/colour_scale.hpp"
#include "cryoscape/report/figures.hpp"
#include "cryoscape/report/markup.hpp"
#include "cryoscape/report/variable_label.hpp"

namespace cryoscape::report {
namespace {

constexpr double kHighest = 10;          ///< kT: above lies what hardly any molecule visits
constexpr double kLeastDepth = 1;        ///< kT that a minimum lies below the ways out of its basin
constexpr double kLeastShare = 0.01;     ///< of the molecules in a basin that is marked
constexpr std::size_t kFineCells = 200;  ///< about so many along an axis, for smooth edges

/// The grid's points are its cells' centres.
Range cell_range(const std::vector<double>& centres) {
  const double half = 0.5 * (centres.back() - centres.front()) / static_cast<double>(centres.size() - 1);
  return {centres.front() - half, centres.back() + half};
}

/// The first variable along x: columns run fastest, as the last variable does in the record.
DensityGrid transposed(const FreeEnergyRecord& record) {
  const std::size_t columns = record.grid[0].size(), rows = record.grid[1].size();
  DensityGrid grid{cell_range(record.grid[0]), cell_range(record.grid[1]), columns, rows, {}};
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t column = 0; column < columns; ++column)
      grid.values.push_back(record.energy[column * rows + row]);
  return grid;
}

/// The basins of a grid without bootstrap: populations are sums of exp(−F).
std::vector<BasinRecord> basins_of(const FreeEnergyRecord& record) {
  double highest = 0;
  for (const double f : record.energy)
    if (std::isfinite(f)) highest = std::max(highest, f);
  auto energy = record.energy;
  for (double& f : energy)
    if (!std::isfinite(f)) f = highest + kHighest;
  const std::vector<std::size_t> nodes{record.grid[0].size(), record.grid[1].size()};
  const auto found = inference::find_basins(energy, nodes, kLeastDepth);
  std::vector<BasinRecord> out;
  for (const auto node : found.minimum)
    out.push_back(
        {0, std::nan(""), energy[node], {record.grid[0][node / nodes[1]], record.grid[1][node % nodes[1]]}});
  double sum = 0;
  for (std::size_t k = 0; k < energy.size(); ++k) {
    const double share = std::isfinite(record.energy[k]) ? std::exp(-energy[k]) : 0;
    out[found.label[k]].population += share, sum += share;
  }
  for (auto& basin : out) basin.population /= sum;
  std::erase_if(out, [](const auto& basin) { return basin.population < kLeastShare; });
  return out;
}

/// White rims keep the marks readable on every colour.
void mark(Panel& panel, const BasinRecord& basin) {
  const std::vector<double> x{basin.position[0]}, y{basin.position[1]};
  panel.points(x, y, Marker::circle, "#ffffff", 9, 1);
  panel.points(x, y, Marker::circle, "#222222", 6, 1);
  panel.note_above(x[0], y[0], with_error(100 * basin.population, 100 * basin.population_error, 3) + " %");
}

}  // namespace

std::optional<Figure> surface_figure(const LandscapeRecord& landscape) {
  const auto& entries = landscape.free_energy;
  const auto entry = std::find_if(entries.begin(), entries.end(), [](const auto& e) {
    return e.variables() == 2 &&
           std::any_of(e.energy.begin(), e.energy.end(), [](double f) { return std::isfinite(f); });
  });
  if (entry == entries.end()) return std::nullopt;
  const auto grid = transposed(*entry);
  const auto fine = refined(grid, std::max<std::size_t>(1, kFineCells / std::max(grid.columns, grid.rows)));
  double top = 0;
  for (const double f : entry->energy)
    if (std::isfinite(f)) top = std::max(top, f);
  const auto levels = static_cast<std::size_t>(std::ceil(std::clamp(top, 1.0, kHighest)));
  Panel panel("surface-clip", {70, 14, 360, 360}, {variable_label(*entry, 0), grid.x, 6},
              {variable_label(*entry, 1), grid.y, 6});
  for (std::size_t k = 0; k < levels; ++k) {
    const double from = k == 0 ? -INFINITY : static_cast<double>(k),
                 to = k + 1 == levels ? INFINITY : static_cast<double>(k + 1);
    panel.cells(fine, from, to,
                scale_colour(levels > 1 ? static_cast<double>(k) / static_cast<double>(levels - 1) : 0));
    if (k > 0) panel.segments(contour(grid, from), {"#222222", 0.6, ""});
  }
  for (const auto& basin : entry->basins.empty() ? basins_of(*entry) : entry->basins) mark(panel, basin);
  const auto bar = colour_bar("surface-bar-clip", {500, 14, 16, 360}, "Free energy (kT)",
                              {0, static_cast<double>(levels)}, levels);
  const auto name = variable_name(entry->variable);
  return Figure{"free-energy-surface", svg_document(560, 426, "Free energy along " + name, panel.svg() + bar),
                fmt::format("Free energy along {}, {}; lines every 1 kT, from {} kT on one colour, white "
                            "where there are no {}. Dots: minima, with the share of the molecules in "
                            "their basins.",
                            name,
                            entry->source == "prior" ? "of samples of the prior"
                                                     : "of the particles, by their likelihoods",
                            levels - 1, entry->source == "prior" ? "samples" : "conformations")};
}

}  // namespace cryoscape::report
