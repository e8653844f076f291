#include "cryoscape/optics/aberrations.hpp"

#include <cmath>
#include <cstdlib>

namespace cryoscape::optics {
namespace {

double factorial(int n) { return n < 2 ? 1.0 : n * factorial(n - 1); }

double radial_zernike(int m, int n, double rho) {
  double sum = 0;
  for (int k = 0; k <= (n - m) / 2; ++k)
    sum += (k % 2 ? -1.0 : 1.0) * factorial(n - k) /
           (factorial(k) * factorial((n + m) / 2 - k) * factorial((n - m) / 2 - k)) *
           std::pow(rho, n - 2 * k);
  return sum;
}

double aberration(std::span<const double> coefficients, int first_order, double x, double y) {
  const double rho = std::hypot(x, y), phi = std::atan2(y, x);
  double sum = 0;
  std::size_t i = 0;
  for (int n = first_order; i < coefficients.size(); n += 2)
    for (int m = -n; m <= n && i < coefficients.size(); m += 2, ++i) {
      if (coefficients[i] == 0) continue;
      const double angular = m >= 0 ? std::cos(m * phi) : std::sin(-m * phi);
      sum += coefficients[i] * radial_zernike(std::abs(m), n, rho) * angular;
    }
  return sum;
}

}  // namespace

double even_aberration(std::span<const double> coefficients, double x, double y) {
  return aberration(coefficients, 0, x, y);
}

double odd_aberration(std::span<const double> coefficients, double x, double y) {
  return aberration(coefficients, 1, x, y);
}

}  // namespace cryoscape::optics
