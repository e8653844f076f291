#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/report/figures.hpp"
#include "cryoscape/report/svg_plot.hpp"

namespace cryoscape::report {
namespace {

constexpr std::size_t kNotedStates = 8;       ///< with more states bars go without numbers
constexpr std::size_t kShownComponents = 20;  ///< further ones are too small to see

/// The largest value plus error, where there is any.
double largest(const std::vector<double>& values, const std::vector<double>& errors) {
  double out = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::isfinite(values[i]))
      out = std::max(out, values[i] + (std::isfinite(errors[i]) ? errors[i] : 0.0));
  return out;
}

struct Bars {
  std::vector<double> values, errors;
};

Panel bar_panel(const std::string& id, Rectangle frame, const std::string& x_label,
                const std::string& y_label, const Bars& bars, const char* number_format) {
  const double count = static_cast<double>(bars.values.size()), top = largest(bars.values, bars.errors);
  Panel panel(id, frame, {x_label, {0.4, count + 0.6}, static_cast<int>(std::min(10.0, count)), true},
              {y_label, {0, top > 0 ? 1.15 * top : 1.0}, 5});
  for (std::size_t k = 0; k < bars.values.size(); ++k) {
    const double at = static_cast<double>(k + 1), value = bars.values[k], error = bars.errors[k];
    panel.bar(at, 0.66, value, series_colour(k));
    panel.error_bar(at, value, error);
    if (bars.values.size() <= kNotedStates)
      panel.note_above(at, value + (std::isfinite(error) ? error : 0),
                       fmt::format(fmt::runtime(number_format), value));
  }
  return panel;
}

}  // namespace

Figure population_figure(const StateTable& table) {
  Bars populations, energies;
  for (const auto& state : table.states) {
    populations.values.push_back(100 * state.population),
        populations.errors.push_back(100 * state.population_error);
    energies.values.push_back(state.energy), energies.errors.push_back(state.energy_error);
  }
  const auto left =
      bar_panel("population-clip", {70, 14, 200, 240}, "State", "Population (%)", populations, "{:.1f}");
  const auto right =
      bar_panel("energy-clip", {345, 14, 200, 240}, "State", "Energy (kT)", energies, "{:.2f}");
  return {"populations",
          svg_document(560, 306, "Populations and energies of the states", left.svg() + right.svg()),
          "Populations of the states, and their energies −ln(population / largest population) in kT; bars "
          "show one standard error."};
}

Figure variance_figure(const std::vector<ComponentRecord>& components) {
  const std::size_t shown = std::min(kShownComponents, components.size());
  std::vector<double> at, cumulative;
  double sum = 0;
  const Stroke line{series_colour(1), 1.6, ""};
  Panel panel("variance-clip", {70, 14, 370, 240},
              {"Principal component",
               {0.4, static_cast<double>(shown) + 0.6},
               static_cast<int>(std::min<std::size_t>(10, shown)),
               true},
              {"Share of variance (%)", {0, 105}, 5});
  for (std::size_t k = 0; k < shown; ++k) {
    const double share = 100 * components[k].share;
    if (std::isfinite(share)) sum += share;
    at.push_back(static_cast<double>(k + 1)), cumulative.push_back(sum);
    panel.bar(at.back(), 0.66, share, series_colour(0));
  }
  panel.line(at, cumulative, line);
  panel.points(at, cumulative, Marker::circle, line.colour, 5, 1);
  const std::vector<LegendEntry> entries{{"each", {series_colour(0), 8, ""}}, {"running sum", line}};
  auto caption = std::string("Share of the decoded structures' variance along their principal components.");
  std::string widths;
  for (std::size_t k = 0; k < std::min<std::size_t>(3, shown); ++k)
    if (std::isfinite(components[k].standard_deviation))
      widths += fmt::format("{}{:.2f}", widths.empty() ? "" : ", ", components[k].standard_deviation);
  if (!widths.empty())
    caption += fmt::format(" Standard deviations of the first: {} Å (r.m.s. over beads).", widths);
  return {"variance",
          svg_document(560, 306, "Variance by principal component", panel.svg() + legend(450, 14, entries)),
          caption};
}

Figure latent_width_figure(const RunArrays& arrays) {
  const std::size_t n = std::min(arrays.spread.size(), arrays.width.size());
  std::vector<double> at, width(arrays.width.begin(), arrays.width.begin() + static_cast<std::ptrdiff_t>(n));
  std::vector<double> all = width;
  all.insert(all.end(), arrays.spread.begin(), arrays.spread.begin() + static_cast<std::ptrdiff_t>(n));
  const double top = range_of(all).high;
  Panel panel(
      "width-clip", {70, 14, 360, 240},
      {"Latent", {0.4, static_cast<double>(n) + 0.6}, static_cast<int>(std::min<std::size_t>(10, n)), true},
      {"Standard deviation", {0, 1.1 * std::max(top, 1e-6)}, 5});
  for (std::size_t k = 0; k < n; ++k) {
    at.push_back(static_cast<double>(k + 1));
    panel.bar(at.back(), 0.66, arrays.spread[k], series_colour(0));
  }
  panel.points(at, width, Marker::diamond, series_colour(1), 8, 1);
  const std::vector<LegendEntry> entries{{"of the means", {series_colour(0), 8, ""}},
                                         {"posterior", {series_colour(1), 1, ""}, Marker::diamond, false}};
  return {"latent-widths",
          svg_document(560, 306, "What each latent carries", panel.svg() + legend(440, 14, entries)),
          "Spread of the posterior means over particles (bars) and r.m.s. width of single posteriors "
          "(diamonds). A latent whose bar stays "
          "below its diamond tells particles apart only weakly; one with no bar is idle."};
}

}  // namespace cryoscape::report
