#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cryoscape/report/figures.hpp"
#include "cryoscape/report/markup.hpp"
#include "cryoscape/report/svg_plot.hpp"
#include "cryoscape/report/variable_label.hpp"

namespace cryoscape::report {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kHighest = 12;  ///< kT: what holds fewer molecules than exp(−12) is beyond the axis
constexpr std::size_t kListed = 7;
const Stroke kMain{"#0072B2", 2, ""}, kGaussian{"#D55E00", 1.4, "6 3"}, kPrior{"#009E73", 1.4, "8 3 2 3"};
const Stroke kNoLine{"none", 0, ""};  // of a legend's line that goes on with the one above
constexpr const char *kRawColour = "#777777", *kMarkColour = "#222222";

/// −ln of shares, 0 at the minimum; NaN where there are none.
std::vector<double> minus_log(const std::vector<double>& shares) {
  const double largest = shares.empty() ? 0 : *std::max_element(shares.begin(), shares.end());
  std::vector<double> out;
  for (const double share : shares) out.push_back(share > 0 ? std::log(largest / share) : kNaN);
  return out;
}

double largest_finite(const std::vector<double>& values) {
  double out = 0;
  for (const double v : values)
    if (std::isfinite(v)) out = std::max(out, v);
  return out;
}

/// What is drawn in one figure: the entry that matters most, and the prior's where that is another.
struct Curves {
  const FreeEnergyRecord& main;
  const FreeEnergyRecord* prior = nullptr;
  std::vector<double> raw;
};

Range position_range(const Curves& curves) {
  std::vector<double> reached = curves.main.grid[0];
  if (curves.prior)
    for (std::size_t k = 0; k < curves.prior->energy.size(); ++k)
      if (std::isfinite(curves.prior->energy[k])) reached.push_back(curves.prior->grid[0][k]);
  return padded(range_of(reached), 0.03);
}

/// From the main curve with its errors and barriers; the others may leave at the top.
Range energy_range(const FreeEnergyRecord& main) {
  double top = std::max(largest_finite(main.energy), largest_finite(main.high));
  for (const auto& b : main.barriers)
    if (std::isfinite(b.error)) top = std::max(top, main.basins[b.from].minimum + b.energy + b.error);
  top = std::clamp(top, 1.0, kHighest);
  return {-0.12 * top, 1.12 * top};  // below the minima stand their numbers
}

void mark_states(Panel& panel, const FreeEnergyRecord& record) {
  for (std::size_t k = 0; k < record.basins.size(); ++k) {
    const auto& basin = record.basins[k];
    const double at = basin.position[0];
    panel.points(std::vector{at}, std::vector{basin.minimum}, Marker::triangle, kMarkColour, 8, 1);
    panel.note_below(at, basin.minimum, fmt::format("{}", k + 1));
  }
  for (const auto& barrier : record.barriers) {
    const double at = barrier.position[0], top = record.basins[barrier.from].minimum + barrier.energy;
    panel.points(std::vector{at}, std::vector{top}, Marker::diamond, kMarkColour, 7, 1);
    panel.error_bar(at, top, barrier.error);
  }
}

LegendEntry mark_entry(const std::string& text, Marker marker) {
  return {text, {kMarkColour, 1, ""}, marker, false};
}

std::vector<LegendEntry> state_entries(const FreeEnergyRecord& record) {
  std::vector<LegendEntry> out;
  for (std::size_t k = 0; k < std::min(kListed, record.basins.size()); ++k)
    out.push_back(mark_entry(
        fmt::format("{}: {} %", k + 1,
                    with_error(100 * record.basins[k].population, 100 * record.basins[k].population_error)),
        Marker::triangle));
  for (std::size_t k = 0; k < std::min(kListed, record.barriers.size()); ++k) {
    const auto& b = record.barriers[k];
    out.push_back(mark_entry(
        fmt::format("{} → {}: {} kT", b.from + 1, b.to + 1, with_error(b.energy, b.error)), Marker::diamond));
  }
  return out;
}

/// Draws the curves, the main one on top. Returns their legend in the order of weight.
std::vector<LegendEntry> draw_curves(Panel& panel, const Curves& curves) {
  const auto& main = curves.main;
  const bool exact = main.source != "prior";
  std::vector<LegendEntry> entries{{exact ? "particles" : "prior", exact ? kMain : kPrior}};
  if (!main.low.empty()) {
    panel.band(main.grid[0], main.low, main.high, kMain.colour);
    entries[0].text += ", 95 % band";
    if (!main.bars.empty()) entries.push_back({main.bars, kNoLine});
  }
  if (!curves.raw.empty()) panel.points(main.grid[0], curves.raw, Marker::square, kRawColour, 3.6, 1);
  if (!main.gaussian_factors.empty()) {
    panel.line(main.grid[0], main.gaussian_factors, kGaussian);
    entries.push_back({"single Gaussians", kGaussian});
  }
  if (curves.prior) {
    panel.line(curves.prior->grid[0], curves.prior->energy, kPrior);
    entries.push_back({"prior", kPrior});
  }
  panel.line(main.grid[0], main.energy, exact ? kMain : kPrior);
  if (!curves.raw.empty()) entries.push_back({"posterior means", {kRawColour, 1, ""}, Marker::square, false});
  return entries;
}

std::string caption_of(const Curves& curves) {
  const auto& main = curves.main;
  std::string out =
      fmt::format("Free energy along {}, each curve 0 at its minimum: ", variable_name(main.variable));
  if (main.source == "prior")
    out += "of samples of the prior";
  else
    out +=
        "of the particles, by their likelihoods without the noise of single images and without the prior "
        "(solid; band: 95 % of a bootstrap over particles" +
        (main.bars.empty() ? "" : ", " + main.bars) + ")";
  if (!main.gaussian_factors.empty()) out += "; the same with one Gaussian per particle (dashed)";
  if (curves.prior) out += "; of samples of the prior (dash-dotted)";
  if (!curves.raw.empty())
    out += "; squares: −ln of the histogram of posterior means, which noise and the prior have shaped";
  out += ".";
  if (!main.basins.empty())
    out +=
        " Triangles: minima with the populations of their basins; diamonds: barriers, from the deeper "
        "minimum, ± one standard error.";
  return out;
}

}  // namespace

std::optional<Figure> free_energy_figure(const LandscapeRecord& landscape) {
  const FreeEnergyRecord* main = nullptr;
  const FreeEnergyRecord* prior = nullptr;
  for (const auto& entry : landscape.free_energy) {
    const bool drawable = entry.variables() == 1 && std::any_of(entry.energy.begin(), entry.energy.end(),
                                                                [](double f) { return std::isfinite(f); });
    if (!drawable || (main && entry.variable != main->variable)) continue;
    if (!main)
      main = &entry;
    else if (entry.source == "prior")
      prior = &entry;
  }
  if (!main) return std::nullopt;
  const Curves curves{*main, prior, minus_log(main->raw_histogram)};
  Panel panel("free-energy-clip", {64, 14, 300, 300}, {variable_label(*main, 0), position_range(curves), 6},
              {"Free energy (kT)", energy_range(*main), 6});
  auto entries = draw_curves(panel, curves);
  mark_states(panel, *main);
  for (auto& entry : state_entries(*main)) entries.push_back(std::move(entry));
  return Figure{"free-energy",
                svg_document(560, 366, "Free energy along " + variable_name(main->variable),
                             panel.svg() + legend(374, 14, entries)),
                caption_of(curves)};
}

}  // namespace cryoscape::report
