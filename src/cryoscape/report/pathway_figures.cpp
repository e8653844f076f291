#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/report/figures.hpp"
#include "cryoscape/report/markup.hpp"
#include "cryoscape/report/svg_plot.hpp"

namespace cryoscape::report {
namespace {

constexpr std::size_t kNumbered = 30, kWithShares = 8;  ///< minima that have room for these at their leaves
constexpr std::size_t kListed = 14;
constexpr double kNormal = 1.96;  ///< standard errors that hold 95 %

/// A node of the tree where it is drawn: as high as its energy, leaves 1 apart.
struct Place {
  double x = 0, energy = 0;
  bool root = true;
};

/// Numbers the leaves below a node from left to right.
void number_leaves(const LandscapeRecord& record, std::size_t node, double& next,
                   std::vector<Place>& places) {
  const std::size_t minima = record.minima.size();
  if (node < minima) {
    places[node].x = next++;
    return;
  }
  const auto& nodes = record.tree[node - minima].nodes;
  for (const auto child : nodes) number_leaves(record, child, next, places);
  places[node].x = 0.5 * (places[nodes[0]].x + places[nodes[1]].x);
}

std::vector<Place> place_nodes(const LandscapeRecord& record) {
  std::vector<Place> places;
  for (const auto& minimum : record.minima) places.push_back({0, minimum.energy});
  for (const auto& fork : record.tree) {
    for (const auto child : fork.nodes) places[child].root = false;
    places.push_back({0, fork.energy});
  }
  double next = 1;
  for (std::size_t node = 0; node < places.size(); ++node)
    if (places[node].root) number_leaves(record, node, next, places);
  return places;
}

/// Each node's line up to the fork above it, and the forks' bars; roots go on to the top.
std::vector<Segment> branches(const LandscapeRecord& record, const std::vector<Place>& places, double top) {
  std::vector<Segment> out;
  for (const auto& p : places)
    if (p.root) out.push_back({p.x, p.energy, p.x, top});
  for (const auto& fork : record.tree) {
    const auto &a = places[fork.nodes[0]], &b = places[fork.nodes[1]];
    out.push_back({a.x, a.energy, a.x, fork.energy});
    out.push_back({b.x, b.energy, b.x, fork.energy});
    out.push_back({a.x, fork.energy, b.x, fork.energy});
  }
  return out;
}

double half_bar(double error) { return std::isfinite(error) ? kNormal * error : 0; }

Range tree_range(const LandscapeRecord& record) {
  std::vector<double> energies;
  const auto reach = [&](const auto& node) {
    for (const double sign : {-1.0, 1.0})
      energies.push_back(node.energy + sign * half_bar(node.energy_error));
  };
  for (const auto& minimum : record.minima) reach(minimum);
  for (const auto& fork : record.tree) reach(fork);
  const auto range = range_of(energies);
  return {range.low - 0.14 * range.width(), range.high + 0.12 * range.width()};
}

void draw_tree_errors(const LandscapeRecord& record, const std::vector<Place>& places, Panel& panel) {
  const auto minima = record.minima.size();
  for (std::size_t n = 0; n < places.size(); ++n)
    panel.error_bar(
        places[n].x, places[n].energy,
        half_bar(n < minima ? record.minima[n].energy_error : record.tree[n - minima].energy_error));
}

/// A path's energies and `sign` times half their 95 % bars; without errors the energies.
std::vector<double> edge_of(const EnergyPathRecord& path, double sign) {
  auto out = path.energies;
  for (std::size_t i = 0; i < path.energy_errors.size(); ++i)
    out[i] += sign * half_bar(path.energy_errors[i]);
  return out;
}

std::string path_text(const EnergyPathRecord& path) {
  const auto top = range_of(path.energies).high;
  return fmt::format("{} → {}: {:.2f} kT", path.from + 1, path.to + 1, top - path.energies.front());
}

}  // namespace

std::optional<Figure> tree_figure(const LandscapeRecord& record) {
  if (record.minima.size() < 2) return std::nullopt;
  const auto places = place_nodes(record);
  const auto y = tree_range(record);
  const auto count = static_cast<double>(record.minima.size());
  Panel panel("tree-clip", {64, 14, 480, 300}, {"", {0.4, count + 0.6}, 0}, {"Energy (kT)", y, 6});
  panel.segments(branches(record, places, y.high), {"#222222", 1.6, ""});
  draw_tree_errors(record, places, panel);
  for (std::size_t m = 0; m < record.minima.size() && record.minima.size() <= kNumbered; ++m) {
    auto label = fmt::format("{}", m + 1);
    if (record.minima.size() <= kWithShares && std::isfinite(record.minima[m].population))
      label += fmt::format(" ({:.3g} %)", 100 * record.minima[m].population);
    panel.note_below(places[m].x, places[m].energy, label);
  }
  return Figure{
      "tree", svg_document(560, 328, "Disconnectivity tree of the energy of conformations", panel.svg()),
      "Disconnectivity tree of the prior's energy of conformations: each line ends at a minimum, and lines "
      "join where the lowest pass between their minima lies. Numbers: minima, with the prior's share of "
      "molecules in their basins. Bars: 95 % of a bootstrap over particles, where there is one."};
}

std::optional<Figure> path_figure(const LandscapeRecord& record) {
  if (record.paths.empty()) return std::nullopt;
  std::vector<double> lengths, energies;
  for (const auto& path : record.paths) {
    lengths.insert(lengths.end(), path.lengths.begin(), path.lengths.end());
    for (const double sign : {-1.0, 1.0}) {
      const auto edge = edge_of(path, sign);
      energies.insert(energies.end(), edge.begin(), edge.end());
    }
  }
  Panel panel("path-clip", {64, 14, 340, 280},
              {"Length along the path (Å)", padded(range_of(lengths), 0.03), 6},
              {"Energy (kT)", padded(range_of(energies), 0.08), 6});
  std::vector<LegendEntry> entries;
  for (std::size_t k = 0; k < record.paths.size(); ++k) {
    const auto& path = record.paths[k];
    const Stroke stroke{series_colour(k), 1.8, series_dash(k)};
    if (!path.energy_errors.empty())
      panel.band(path.lengths, edge_of(path, -1), edge_of(path, 1), stroke.colour);
    panel.line(path.lengths, path.energies, stroke);
    const auto highest = std::max_element(path.energies.begin(), path.energies.end());
    const auto at = static_cast<std::size_t>(highest - path.energies.begin());
    panel.points(std::vector{path.lengths[at]}, std::vector{*highest}, Marker::diamond, stroke.colour, 8, 1);
    if (k < kListed) entries.push_back({path_text(path), stroke});
  }
  return Figure{
      "paths",
      svg_document(560, 346, "Energy along minimum-energy paths", panel.svg() + legend(414, 14, entries)),
      "Energy of conformations under the prior along the minimum-energy paths between minima, "
      "against the distance along them (r.m.s. over beads). Diamonds: passes; numbers: their height "
      "above the path's first minimum. Bands: 95 % of a bootstrap over particles, where there is one."};
}

}  // namespace cryoscape::report
