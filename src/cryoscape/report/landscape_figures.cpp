#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/report/figures.hpp"
#include "cryoscape/report/markup.hpp"
#include "cryoscape/report/svg_plot.hpp"

namespace cryoscape::report {
namespace {

constexpr std::size_t kDrawnPoints = 3000;
constexpr std::size_t kCells = 80, kBins = 60;
constexpr double kBlurCells = 1.6;
constexpr double kTail = 0.0005;  ///< share of particles that may lie beyond each end of an axis
constexpr std::size_t kLegendStates = 16;
constexpr const char* kNoState = "#999999";

/// Particles in a plane.
struct Plane {
  std::string name, what, x_label, y_label;
  const std::vector<float>&x, &y;
  bool has_axes = true;  ///< whether single coordinates and densities mean something
};

std::size_t finite_count(const Plane& plane) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < plane.x.size(); ++i)
    count += std::isfinite(plane.x[i]) && (plane.y.empty() || std::isfinite(plane.y[i]));
  return count;
}

/// States that occur, the frequent ones first so that the rare are drawn on top; 0 stands for none.
std::vector<int> states_present(const RunArrays& arrays, const Plane& plane) {
  if (arrays.states.empty()) return {0};
  std::vector<std::size_t> counts;
  for (std::size_t i = 0; i < arrays.states.size(); ++i) {
    const auto id = static_cast<std::size_t>(arrays.states[i]);
    if (!std::isfinite(plane.x[i])) continue;
    if (counts.size() <= id) counts.resize(id + 1);
    ++counts[id];
  }
  std::vector<int> out;
  for (std::size_t id = 0; id < counts.size(); ++id)
    if (counts[id] > 0) out.push_back(static_cast<int>(id));
  std::stable_sort(out.begin(), out.end(), [&](int a, int b) {
    return counts[static_cast<std::size_t>(a)] > counts[static_cast<std::size_t>(b)];
  });
  return out;
}

bool in_state(const RunArrays& arrays, std::size_t row, int state) {
  return arrays.states.empty() || arrays.states[row] == state;
}

std::string colour_of(const RunArrays& arrays, int state) {
  if (arrays.states.empty()) return series_colour(0);
  return state == 0 ? kNoState : series_colour(static_cast<std::size_t>(state - 1));
}
Marker marker_of(int state) {
  return state == 0 ? Marker::circle : series_marker(static_cast<std::size_t>(state - 1));
}

std::string dash_of(int state) { return state == 0 ? "" : series_dash(static_cast<std::size_t>(state - 1)); }

/// Draws every `step`-th row. Returns how many of these were usable.
std::size_t draw_points(Panel& panel, const RunArrays& arrays, const Plane& plane, std::size_t drawn) {
  std::size_t visible = 0;
  const double step = static_cast<double>(plane.x.size()) / static_cast<double>(drawn);
  const double size = drawn > 1000 ? 2.6 : drawn > 300 ? 3.4 : 4.6;
  for (const int state : states_present(arrays, plane)) {
    std::vector<double> xs, ys;
    for (std::size_t k = 0; k < drawn; ++k) {
      const auto row = static_cast<std::size_t>((static_cast<double>(k) + 0.5) * step);
      const bool usable = std::isfinite(plane.x[row]) && std::isfinite(plane.y[row]);
      if (usable && in_state(arrays, row, state)) xs.push_back(plane.x[row]), ys.push_back(plane.y[row]);
    }
    visible += xs.size();
    panel.points(xs, ys, marker_of(state), colour_of(arrays, state), size, 0.55);
  }
  return visible;
}

void draw_density(Panel& panel, const Plane& plane, Range x, Range y) {
  auto grid = count_points(plane.x, plane.y, x, y, kCells);
  blur(grid, kBlurCells);
  for (const double share : {0.9, 0.6, 0.3})
    panel.segments(contour(grid, enclosing_level(grid, share)), {"#222222", 0.9, ""});
}

/// The distribution along x: all particles in grey, each state as an outline.
Panel distribution_panel(const RunArrays& arrays, const Plane& plane, Range x, Rectangle frame,
                         bool tick_labels) {
  const auto all = count_values(plane.x, x, kBins);
  const Range y{0, 1.08 * std::max(1.0, *std::max_element(all.begin(), all.end()))};
  Panel panel(plane.name + "-marginal-clip", frame, {plane.x_label, x, 6, false, tick_labels},
              {"Particles", y, tick_labels ? 5 : 2, true});
  panel.histogram(x, all, {"#dddddd", 1, ""}, true);
  if (arrays.states.empty()) return panel;
  for (const int state : states_present(arrays, plane)) {
    std::vector<float> values;
    for (std::size_t i = 0; i < plane.x.size(); ++i)
      if (in_state(arrays, i, state)) values.push_back(plane.x[i]);
    panel.histogram(x, count_values(values, x, kBins), {colour_of(arrays, state), 1.4, dash_of(state)},
                    false);
  }
  return panel;
}

std::vector<LegendEntry> state_legend(const RunArrays& arrays, const Plane& plane, bool as_lines) {
  if (arrays.states.empty()) return {};
  auto states = states_present(arrays, plane);
  std::sort(states.begin(), states.end(),
            [](int a, int b) { return (a == 0) < (b == 0) || ((a == 0) == (b == 0) && a < b); });
  std::vector<LegendEntry> entries;
  for (const int state : states) {
    if (entries.size() == kLegendStates) break;
    entries.push_back({state == 0 ? "no state" : fmt::format("state {}", state),
                       {colour_of(arrays, state), 1.5, dash_of(state)},
                       marker_of(state),
                       as_lines});
  }
  return entries;
}

/// Particles beyond the axes: these leave out the farthest of either side.
std::size_t outside(const Plane& plane, Range x, Range y) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < plane.x.size(); ++i) {
    if (!std::isfinite(plane.x[i])) continue;
    count += plane.x[i] < x.low || plane.x[i] > x.high ||
             (!plane.y.empty() && (plane.y[i] < y.low || plane.y[i] > y.high));
  }
  return count;
}

std::string count_text(std::size_t count) { return grouped(static_cast<long long>(count)); }

/// What follows every caption.
std::string caption_end(const RunArrays& arrays, std::size_t beyond) {
  std::string out = arrays.states.empty() ? "." : ", outlines by state.";
  if (beyond > 0) out += fmt::format(" {} particles lie beyond the axes.", count_text(beyond));
  return out;
}

Figure distribution_figure(const Plane& plane, const RunArrays& arrays, Range x) {
  const auto entries = state_legend(arrays, plane, true);
  const auto content =
      distribution_panel(arrays, plane, x, {78, 12, 380, 250}, true).svg() + legend(468, 12, entries);
  return {plane.name,
          svg_document(entries.empty() ? 480 : 560, 312, "Particles along " + plane.what, content),
          fmt::format("Distribution of {} particles along {}", count_text(finite_count(plane)), plane.what) +
              caption_end(arrays, outside(plane, x, {}))};
}

Figure plane_figure(const Plane& plane, const RunArrays& arrays) {
  const auto x = padded(quantile_range(plane.x, kTail, 1 - kTail), 0.06);
  if (plane.y.empty()) return distribution_figure(plane, arrays, x);
  const auto y = padded(quantile_range(plane.y, kTail, 1 - kTail), 0.06);
  const double top = plane.has_axes ? 98 : 12, height = plane.has_axes ? 300 : 380;
  Panel panel(plane.name + "-clip", {78, top, 380, height}, {plane.x_label, x, 6}, {plane.y_label, y, 6});
  const std::size_t usable = finite_count(plane);
  const std::size_t drawn = draw_points(panel, arrays, plane, std::min(kDrawnPoints, plane.x.size()));
  auto caption =
      fmt::format("Particles in the plane of {}{}; ", plane.what, arrays.states.empty() ? "" : ", by state");
  if (drawn == usable) {
    caption += fmt::format("all {} particles are drawn", count_text(usable));
  } else {
    caption += fmt::format("{} of {} particles are drawn, evenly sampled in the order of the input",
                           count_text(drawn), count_text(usable));
    if (plane.has_axes) {
      draw_density(panel, plane, x, y);
      caption += ". Lines enclose 30, 60 and 90 % of all particles";
    }
  }
  const auto entries = state_legend(arrays, plane, false);
  auto content = panel.svg() + legend(468, top, entries);
  if (plane.has_axes) {
    caption += ". Top: distribution along the horizontal axis, all particles in grey" +
               caption_end(arrays, outside(plane, x, y));
    content = distribution_panel(arrays, plane, x, {78, 12, 380, 76}, false).svg() + content;
  } else {
    caption += ".";
  }
  return {plane.name,
          svg_document(entries.empty() ? 480 : 560, top + height + 48,
                       "Particles in the plane of " + plane.what, content),
          caption};
}

std::string component_label(const RunRecord& record, std::size_t k) {
  const auto& components = record.landscape.components;
  auto label = fmt::format("Principal component {} (Å r.m.s.", k + 1);
  if (k < components.size() && std::isfinite(components[k].share))
    label += fmt::format("; {:.1f} % of variance", 100 * components[k].share);
  return label + ")";
}

}  // namespace

Figure component_figure(const RunArrays& arrays, const RunRecord& record) {
  const auto& [x, y] = arrays.components;
  return plane_figure({"components",
                       y.empty() ? "the principal component of the decoded structures"
                                 : "the first two principal components of the decoded structures",
                       component_label(record, 0), component_label(record, 1), x, y},
                      arrays);
}

Figure latent_figure(const RunArrays& arrays, const RunRecord&) {
  const auto& [x, y] = arrays.latents;
  return plane_figure({"latents", y.empty() ? "the latent" : "the first two latents",
                       "Latent 1 (posterior mean)", "Latent 2 (posterior mean)", x, y},
                      arrays);
}

Figure embedding_figure(const RunArrays& arrays, const RunRecord& record) {
  const auto& [x, y] = arrays.embedding;
  auto figure = plane_figure(
      {"embedding", "the embedding", "Embedding 1 (no unit)", "Embedding 2 (no unit)", x, y, false}, arrays);
  const auto& landscape = record.landscape;
  if (!landscape.embedding.empty()) figure.caption += fmt::format(" Method: {}", landscape.embedding);
  if (!landscape.embedding.empty() && std::isfinite(landscape.trustworthiness))
    figure.caption += fmt::format(", trustworthiness {:.3f} (1 where the plane keeps all neighbourhoods)",
                                  landscape.trustworthiness);
  if (!landscape.embedding.empty()) figure.caption += ".";
  return figure;
}

}  // namespace cryoscape::report
