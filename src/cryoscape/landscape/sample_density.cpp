#include "cryoscape/landscape/sample_density.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cryoscape/util/error.hpp"

namespace cryoscape::landscape {
namespace {

constexpr double kMargin = 0.1;       ///< of the values' range, beyond it
constexpr double kWidestShare = 1.5;  ///< of Silverman's width
constexpr int kWidths = 16;
constexpr double kWidthRatio = 0.8;   ///< of one width to the next
constexpr double kKernelReach = 4;    ///< widths
constexpr double kLeastCount = 0.01;  ///< samples expected in a cell that has an energy

double deviation(const std::vector<double>& values) {
  double sum = 0, square = 0;
  for (const double v : values) sum += v;
  const double mean = sum / static_cast<double>(values.size());
  for (const double v : values) square += (v - mean) * (v - mean);
  return std::sqrt(square / static_cast<double>(values.size()));
}

/// Weights of a Gaussian of a width in cells at distances 0, 1 …; with both sides they sum to 1.
std::vector<double> kernel(double width) {
  std::vector<double> out;
  double sum = 0;
  for (std::size_t k = 0; static_cast<double>(k) <= kKernelReach * width; ++k) {
    out.push_back(std::exp(-0.5 * static_cast<double>(k * k) / (width * width)));
    sum += k ? 2 * out.back() : out.back();
  }
  for (double& w : out) w /= sum;
  return out;
}

/// Blurs a row of cells with a stride, in place.
void blur(std::vector<double>& cells, std::size_t first, std::size_t stride, const GridAxis& axis,
          const std::vector<double>& weights) {
  const auto count = static_cast<std::ptrdiff_t>(axis.count);
  std::vector<double> out(axis.count, 0.0);
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const double value = cells[first + static_cast<std::size_t>(i) * stride];
    if (value == 0) continue;
    for (auto k = -static_cast<std::ptrdiff_t>(weights.size()) + 1;
         k < static_cast<std::ptrdiff_t>(weights.size()); ++k) {
      auto to = i + k;
      if (axis.closed && to < 0) to = -1 - to;
      if (axis.closed && to >= count) to = 2 * count - 1 - to;
      if (to >= 0 && to < count)
        out[static_cast<std::size_t>(to)] += value * weights[static_cast<std::size_t>(std::abs(k))];
    }
  }
  for (std::size_t i = 0; i < axis.count; ++i) cells[first + i * stride] = out[i];
}

std::vector<double> blurred(std::vector<double> cells, const std::vector<GridAxis>& axes,
                            const std::vector<std::vector<double>>& kernels) {
  const std::size_t last = axes.back().count;
  for (std::size_t row = 0; row < cells.size() / last; ++row)
    blur(cells, row * last, 1, axes.back(), kernels.back());
  if (axes.size() == 2)
    for (std::size_t column = 0; column < last; ++column) blur(cells, column, last, axes[0], kernels[0]);
  return cells;
}

/// Mean log likelihood of the samples, each under the kernels of the others.
double left_out_likelihood(const std::vector<double>& shares, const std::vector<double>& density, double own,
                           double samples) {
  double sum = 0;
  for (std::size_t i = 0; i < shares.size(); ++i)
    if (shares[i] > 0)
      sum += shares[i] * std::log(std::max(1e-300, (samples * density[i] - own) / (samples - 1)));
  return sum;
}

}  // namespace

GridAxis grid_axis(const std::vector<double>& values, bool unit_interval, std::size_t count) {
  const auto cells = static_cast<double>(count);
  if (unit_interval) return {0.5 / cells, 1 / cells, count, true};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (values.empty() || !(*high > *low)) fail("a collective variable has the same value in all structures");
  const double margin = kMargin * (*high - *low), spacing = (*high - *low + 2 * margin) / cells;
  return {*low - margin + spacing / 2, spacing, count, false};
}

std::vector<double> histogram(const std::vector<GridAxis>& axes,
                              const std::vector<std::vector<double>>& values) {
  std::size_t size = 1;
  for (const auto& axis : axes) size *= axis.count;
  std::vector<double> out(size, 0.0);
  const std::size_t samples = values.front().size();
  for (std::size_t i = 0; i < samples; ++i) {
    std::size_t cell = 0;
    bool inside = true;
    for (std::size_t a = 0; a < axes.size(); ++a) {
      const auto& axis = axes[a];
      double at = (values[a][i] - axis.first) / axis.spacing + 0.5;
      if (axis.closed) at = std::clamp(at, 0.0, static_cast<double>(axis.count) - 0.5);
      inside = inside && at >= 0 && at < static_cast<double>(axis.count);
      if (inside) cell = cell * axis.count + static_cast<std::size_t>(at);
    }
    if (inside) out[cell] += 1 / static_cast<double>(samples);
  }
  return out;
}

std::vector<double> smooth_density(const std::vector<GridAxis>& axes,
                                   const std::vector<std::vector<double>>& values) {
  const auto shares = histogram(axes, values);
  const auto samples = static_cast<double>(values.front().size());
  const double dimensions = static_cast<double>(axes.size());
  const double rule = std::pow(4 / (dimensions + 2) / samples, 1 / (dimensions + 4));
  std::vector<double> best;
  double most = -std::numeric_limits<double>::infinity();
  for (int w = 0; w < kWidths; ++w) {
    std::vector<std::vector<double>> kernels;
    double own = 1;
    bool resolved = true;
    for (std::size_t a = 0; a < axes.size(); ++a) {
      const double width =
          kWidestShare * std::pow(kWidthRatio, w) * rule * deviation(values[a]) / axes[a].spacing;
      resolved = resolved && width >= 1;  // narrower than a cell, the histogram blurs more than the kernel
      kernels.push_back(kernel(std::max(width, 1e-3)));
      own *= kernels.back().front();
    }
    if (w > 0 && !resolved) break;
    auto density = blurred(shares, axes, kernels);
    if (const double likelihood = left_out_likelihood(shares, density, own, samples); likelihood > most)
      most = likelihood, best = std::move(density);
  }
  double sum = 0;
  for (const double p : best) sum += p;
  for (double& p : best) p /= sum;
  return best;
}

std::vector<std::optional<double>> free_energy(const std::vector<double>& density, std::size_t samples) {
  const double largest = *std::max_element(density.begin(), density.end());
  std::vector<std::optional<double>> out;
  for (const double p : density)
    out.push_back(p * static_cast<double>(samples) < kLeastCount ? std::nullopt
                                                                 : std::optional(-std::log(p / largest)));
  return out;
}

}  // namespace cryoscape::landscape
