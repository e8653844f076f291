#include "cryoscape/report/colour_scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace cryoscape::report {
namespace {

/// Red, green and blue at even steps of luminance.
constexpr std::array<std::array<double, 3>, 5> kColours{
    {{32, 20, 76}, {44, 86, 142}, {46, 153, 142}, {150, 203, 92}, {251, 243, 176}}};

}  // namespace

std::string scale_colour(double u) {
  const double at = std::clamp(u, 0.0, 1.0) * static_cast<double>(kColours.size() - 1);
  const auto k = std::min(kColours.size() - 2, static_cast<std::size_t>(at));
  const double share = at - static_cast<double>(k);
  const auto mixed = [&](std::size_t c) {
    return std::lround((1 - share) * kColours[k][c] + share * kColours[k + 1][c]);
  };
  return fmt::format("#{:02x}{:02x}{:02x}", mixed(0), mixed(1), mixed(2));
}

std::string colour_bar(const std::string& id, Rectangle frame, const std::string& label, Range range,
                       std::size_t classes, double first, double last) {
  Panel panel(id, frame, {"", {0, 1}, 0}, {label, range, 6});
  DensityGrid grid{{0, 1}, range, 1, classes, {}};
  for (std::size_t k = 0; k < classes; ++k) grid.values.push_back(static_cast<double>(k));
  for (std::size_t k = 0; k < classes; ++k) {
    const double u = classes > 1 ? static_cast<double>(k) / static_cast<double>(classes - 1) : 0;
    panel.cells(grid, static_cast<double>(k), static_cast<double>(k) + 0.5,
                scale_colour(first + u * (last - first)));
  }
  return panel.svg();
}

}  // namespace cryoscape::report
