#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/report/figures.hpp"
#include "cryoscape/report/svg_plot.hpp"

namespace cryoscape::report {
namespace {

constexpr std::size_t kListed = 12;  ///< maps that the legend has room for
constexpr double kThreshold = 0.143;

std::string entry_text(const MapRecord& map) {
  return std::isfinite(map.resolution) ? fmt::format("{}: {:.2f} Å", map.name, map.resolution)
                                       : map.name + ": none";
}

}  // namespace

std::optional<Figure> fsc_figure(const std::vector<MapRecord>& maps) {
  if (maps.empty()) return std::nullopt;
  double last = 0;
  for (const auto& map : maps) last = std::max(last, map.frequency.back());
  Panel panel("fsc", {64, 14, 420, 260}, {"frequency (1/Å)", {0, last}},
              {"Fourier shell correlation", {-0.1, 1.05}});
  const std::vector<double> ends{0, last}, level{kThreshold, kThreshold};
  panel.line(ends, level, {"#777777", 1, "2 3"});
  std::vector<LegendEntry> entries;
  for (std::size_t k = 0; k < maps.size(); ++k) {
    const Stroke stroke{series_colour(k), 1.8, series_dash(k)};
    panel.line(maps[k].frequency, maps[k].fsc, stroke);
    if (k < kListed) entries.push_back({entry_text(maps[k]), stroke});
  }
  return Figure{"fsc", svg_document(680, 330, "FSC of half-maps", panel.svg() + legend(500, 24, entries)),
                "Fourier shell correlation of the half-maps of every conformation, corrected for the mask, "
                "and where it "
                "falls below 0.143 (dotted)."};
}

}  // namespace cryoscape::report
