#include "cryoscape/inference/estimate.hpp"

#include <algorithm>
#include <cmath>

namespace cryoscape::inference {
namespace {

constexpr double kNormal = 1.96;  ///< standard deviations that hold 95 %

/// The value at share `q` of sorted values, linear between neighbours.
double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto k = std::min(static_cast<std::size_t>(at), sorted.size() - 1);
  const double next = sorted[std::min(k + 1, sorted.size() - 1)];
  return sorted[k] + (at - static_cast<double>(k)) * (next - sorted[k]);
}

}  // namespace

Estimate estimate(double value, const std::vector<double>& resampled) {
  Estimate out{value, 0, value, value};
  if (resampled.size() < 2) return out;
  double mean = 0, square = 0;
  for (const double v : resampled) mean += v / static_cast<double>(resampled.size());
  for (const double v : resampled) square += (v - mean) * (v - mean);
  out.error = std::sqrt(square / static_cast<double>(resampled.size() - 1));
  out.low = value - kNormal * out.error, out.high = value + kNormal * out.error;
  return out;
}

Estimate estimate_energy(double value, std::vector<double> resampled) {
  auto out = estimate(value, resampled);
  if (resampled.size() < 2) return out;
  std::sort(resampled.begin(), resampled.end());
  out.low = std::min(out.low, quantile(resampled, 0.025));
  out.high = std::max(out.high, quantile(resampled, 0.975));
  return out;
}

}  // namespace cryoscape::inference
