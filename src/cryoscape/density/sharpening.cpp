#include "cryoscape/density/sharpening.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "cryoscape/optics/fft3.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/parallel.hpp"

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
  std::vector<std::complex<float>> spectrum(optics::half_size3(box));
  optics::rfft3(box, map.data(), spectrum.data());
  const double extent = box * pixel_size, cut = resolution > 0 ? extent / resolution : 2.0 * box;
  const std::size_t columns = box / 2 + 1;
  parallel_for(static_cast<std::size_t>(box), [&](std::size_t z) {
    const double kz = optics::row_frequency(static_cast<int>(z), box);
    for (int y = 0; y < box; ++y)
      for (std::size_t x = 0; x < columns; ++x) {
        const double radius = std::hypot(static_cast<double>(x), optics::row_frequency(y, box), kz);
        const double beyond = std::clamp((radius - cut) / kEdge, 0.0, 1.0),
                     pass = 0.5 + 0.5 * std::cos(std::numbers::pi * beyond);
        spectrum[(z * box + y) * columns + x] *=
            static_cast<float>(pass * std::exp(-0.25 * b_factor * std::pow(radius / extent, 2)));
      }
  });
  optics::irfft3(box, spectrum.data(), map.data());
}

}  // namespace cryoscape::density
