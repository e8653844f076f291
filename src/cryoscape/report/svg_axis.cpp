#include "cryoscape/report/svg_axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cryoscape::report {
namespace {

constexpr double kLargestPlain = 1e6, kSmallestPlain = 1e-3;  ///< plain numbers on labels lie between

Range widened(double low, double high) {
  if (low < high) return {low, high};
  const double half = low == 0 ? 1 : 0.05 * std::abs(low);
  return {low - half, high + half};
}

int decade(double value) { return static_cast<int>(std::floor(std::log10(value) + 1e-9)); }

std::string superscript(int exponent) {
  static const char* const digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string out = exponent < 0 ? "⁻" : "";
  for (const char c : fmt::format("{}", std::abs(exponent))) out += digits[c - '0'];
  return out;
}

std::string label(double value, double step, double largest) {
  if (value == 0) return "0";
  const std::string sign = value < 0 ? "−" : "";
  if (largest < kLargestPlain && largest >= kSmallestPlain)
    return sign + fmt::format("{:.{}f}", std::abs(value), std::max(0, -decade(step)));
  const int exponent = decade(largest);
  return sign + fmt::format("{:.{}f}×10{}", std::abs(value) / std::pow(10, exponent),
                            std::max(0, exponent - decade(step)), superscript(exponent));
}

}  // namespace

Range range_of(std::span<const double> values) {
  double low = INFINITY, high = -INFINITY;
  for (const double v : values)
    if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  return low > high ? Range{} : widened(low, high);
}

Range quantile_range(std::span<const float> values, double low, double high) {
  std::vector<float> finite;
  for (const float v : values)
    if (std::isfinite(v)) finite.push_back(v);
  if (finite.empty()) return {};
  const auto quantile = [&](double q) {
    const auto at = static_cast<std::ptrdiff_t>(std::lround(q * static_cast<double>(finite.size() - 1)));
    std::nth_element(finite.begin(), finite.begin() + at, finite.end());
    return static_cast<double>(finite[static_cast<std::size_t>(at)]);
  };
  const double from = quantile(low), to = quantile(high);
  return widened(from, to);
}

Range padded(Range range, double share) {
  return {range.low - share * range.width(), range.high + share * range.width()};
}

Ticks nice_ticks(Range range, int count, bool whole) {
  Ticks ticks;
  const double rough = range.width() / std::max(1, count);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double mantissa = rough / power;
  ticks.step = power * (mantissa < 1.5 ? 1 : mantissa < 3 ? 2 : mantissa < 7 ? 5 : 10);
  if (whole) ticks.step = std::max(1.0, ticks.step);
  const double slack = 1e-9 * range.width();
  for (double k = std::ceil((range.low - slack) / ticks.step); k * ticks.step <= range.high + slack; ++k)
    ticks.values.push_back(k == 0 ? 0.0 : k * ticks.step);
  double largest = 0;
  for (const double v : ticks.values) largest = std::max(largest, std::abs(v));
  for (const double v : ticks.values) ticks.labels.push_back(label(v, ticks.step, largest));
  return ticks;
}

}  // namespace cryoscape::report
