#include "cryoscape/density/sharpening.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/density/radial_filter.hpp"

namespace cryoscape::density {
namespace {

constexpr double kCoarsest =
    10;  ///< Å: beyond it amplitudes follow the particle's shape, not Wilson's statistics
constexpr int kLeastShells = 3;
constexpr double kEdge = 2;  ///< shells of the low-pass filter's edge

}  // namespace

Guinier fit_guinier(std::span<const double> amplitudes, double extent, double resolution) {
  Guinier fit;
  for (std::size_t s = 1; s < amplitudes.size(); ++s) {
    fit.resolution_squared.push_back(std::pow(static_cast<double>(s) / extent, 2));
    fit.log_amplitude.push_back(std::log(std::max(amplitudes[s], 1e-30)));
  }
  const int shells = static_cast<int>(fit.log_amplitude.size());
  fit.first = std::clamp(static_cast<int>(std::ceil(extent / kCoarsest)) - 1, 0, shells);
  fit.last = resolution > 0 ? std::clamp(static_cast<int>(std::floor(extent / resolution)), 0, shells) : 0;
  if (fit.last - fit.first < kLeastShells) return fit;
  const double n = fit.last - fit.first;
  double x = 0, y = 0, xx = 0, xy = 0;
  for (int s = fit.first; s < fit.last; ++s) {
    const double u = fit.resolution_squared[s], v = fit.log_amplitude[s];
    x += u, y += v, xx += u * u, xy += u * v;
  }
  fit.slope = (n * xy - x * y) / (n * xx - x * x);
  fit.intercept = (y - fit.slope * x) / n;
  return fit;
}

void apply_b_factor(int box, double pixel_size, double b_factor, double resolution, std::vector<float>& map) {
  const double extent = box * pixel_size, cut = resolution > 0 ? extent / resolution : 2.0 * box;
  apply_radial(
      box,
      [&](double shell) {
        const double beyond = std::clamp((shell - cut) / kEdge, 0.0, 1.0),
                     pass = 0.5 + 0.5 * std::cos(std::numbers::pi * beyond);
        return pass * std::exp(-0.25 * b_factor * std::pow(shell / extent, 2));
      },
      map);
}

}  // namespace cryoscape::density
