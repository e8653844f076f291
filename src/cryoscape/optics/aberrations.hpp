#pragma once
#include <span>

namespace cryoscape::optics {

/// Sum of the even Zernike polynomials in RELION's order (n = 0, 2, 4, …; m = −n, −n+2, … n) at Fourier
/// coordinates (x, y) in 1/Å.
double even_aberration(std::span<const double> coefficients, double x, double y);

/// The same for the odd ones (n = 1, 3, 5, …).
double odd_aberration(std::span<const double> coefficients, double x, double y);

}  // namespace cryoscape::optics
