#pragma once
#include <string>

#include "cryoscape/report/svg_plot.hpp"

namespace cryoscape::report {

/// A colour for u in [0, 1], dark to light. Luminance grows evenly with u, so that print in grey keeps the
/// order and the distances.
std::string scale_colour(double u);

/// A bar of the scale's colours for values in `classes` equal parts of a range: u runs from `first` to
/// `last`. `id` as of Panel.
std::string colour_bar(const std::string& id, Rectangle frame, const std::string& label, Range range,
                       std::size_t classes, double first = 0, double last = 1);

}  // namespace cryoscape::report
