#include "cryoscape/optics/ctf.hpp"

#include <cmath>
#include <numbers>

namespace cryoscape::optics {
namespace {

constexpr double kPi = std::numbers::pi;

double factorial(int n) { return n < 2 ? 1.0 : n * factorial(n - 1); }

double radial_zernike(int m, int n, double rho) {
  double sum = 0;
  for (int k = 0; k <= (n - m) / 2; ++k)
    sum += (k % 2 ? -1.0 : 1.0) * factorial(n - k) /
           (factorial(k) * factorial((n + m) / 2 - k) * factorial((n - m) / 2 - k)) * std::pow(rho, n - 2 * k);
  return sum;
}

/// Sum of the even Zernike polynomials, in RELION's order: n = 0, 2, 4, …, m = −n, −n+2, … n at Fourier coordinates (x, y) in 1/Å.
double even_aberration(const std::vector<double>& coefficients, double x, double y) {
  const double rho = std::hypot(x, y), phi = std::atan2(y, x);
  double sum = 0;
  std::size_t i = 0;
  for (int n = 0; i < coefficients.size(); n += 2)
    for (int m = -n; m <= n && i < coefficients.size(); m += 2, ++i) {
      if (coefficients[i] == 0) continue;
      const double angular = m >= 0 ? std::cos(m * phi) : std::sin(-m * phi);
      sum += coefficients[i] * radial_zernike(std::abs(m), n, rho) * angular;
    }
  return sum;
}

}  // namespace

double electron_wavelength(double voltage_kv) {
  const double v = voltage_kv * 1e3;
  return 12.2643247 / std::sqrt(v * (1 + v * 0.978466e-6));
}

void evaluate_ctf(const OpticsGroup& group, const CtfParameters& p, int box, double pixel_size, std::span<float> out) {
  const double lambda = electron_wavelength(group.voltage_kv), cs = group.cs_mm * 1e7;
  const double k2 = kPi / 2 * cs * lambda * lambda * lambda;
  const double offset = p.phase_shift + std::asin(group.amplitude_contrast);
  // πλΔf(φ)f² as a quadratic form in (x, y).
  const double mean = 0.5 * (p.defocus_u + p.defocus_v), half = 0.5 * (p.defocus_u - p.defocus_v);
  const double c2 = std::cos(2.0 * p.defocus_angle), s2 = std::sin(2.0 * p.defocus_angle);
  const double qxx = kPi * lambda * (mean + half * c2), qyy = kPi * lambda * (mean - half * c2), qxy = kPi * lambda * half * s2;
  const auto& m = group.magnification;
  const double step = 1 / (box * pixel_size);
  const int columns = box / 2 + 1;
  for (int row = 0; row < box; ++row) {
    const double v = (row < box / 2 ? row : row - box) * step;
    for (int kx = 0; kx < columns; ++kx) {
      const double u = kx * step;
      const double x = m[0] * u + m[1] * v, y = m[2] * u + m[3] * v;
      const double f2 = x * x + y * y;
      double chi = qxx * x * x + 2 * qxy * x * y + qyy * y * y - k2 * f2 * f2 + offset;
      if (!group.even_zernike.empty()) chi += even_aberration(group.even_zernike, x, y);
      double value = std::sin(chi);
      if (group.phase_flipped) value = std::abs(value);
      if (p.b_factor != 0) value *= std::exp(-0.25 * p.b_factor * f2);
      out[static_cast<std::size_t>(row) * columns + kx] = static_cast<float>(p.scale * value);
    }
  }
}

}  // namespace cryoscape::optics
