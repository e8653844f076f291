#pragma once
#include <span>
#include <string>
#include <vector>

namespace cryoscape::report {

/// An interval of data values, low < high.
struct Range {
  double low = 0, high = 1;
  double width() const { return high - low; }
};

/// Smallest and largest finite value. With no finite value [0, 1]; a single value v is widened to a range
/// around it.
Range range_of(std::span<const double> values);

/// From one quantile of the finite values to another (0…1), widened like range_of's.
Range quantile_range(std::span<const float> values, double low, double high);

/// The range with `share` of its width added on both sides.
Range padded(Range range, double share);

/// Where an axis is marked, and how.
struct Ticks {
  double step = 1;
  std::vector<double> values;
  std::vector<std::string> labels;
};

/// About `count` ticks inside the range at multiples of 1, 2 or 5 times a power of ten; with `whole` only at
/// whole numbers. Labels have just the decimals that the step needs, and a power of ten where numbers are
/// very large or small.
Ticks nice_ticks(Range range, int count, bool whole = false);

}  // namespace cryoscape::report
