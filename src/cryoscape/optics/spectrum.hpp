#pragma once
#include <cmath>
#include <complex>
#include <cstdint>
#include <span>
#include <vector>

namespace cryoscape::optics {

/// Shell of a coefficient: its distance from the origin rounded to an integer.
inline int shell_index(int kx, int ky) {
  return static_cast<int>(std::sqrt(static_cast<double>(kx) * kx + static_cast<double>(ky) * ky) + 0.5);
}

/// Shells 0 … box/2; coefficients in the corners beyond have none.
inline int shell_count(int box) { return box / 2 + 1; }

/// Signed row frequency of a half-complex row.
inline int row_frequency(int row, int box) { return row < box / 2 ? row : row - box; }

/// How many of the D² coefficients a half-complex column stands for.
inline int multiplicity(int kx, int box) { return kx == 0 || kx == box / 2 ? 1 : 2; }

/// Shell of every half-complex coefficient (D, D/2+1), also beyond box/2 in the corners.
std::vector<std::int32_t> shell_table(int box);

/// Mean |X|² per shell (shell_count) of one half-complex spectrum, with multiplicities.
std::vector<double> radial_power(int box, std::span<const std::complex<float>> spectrum);

}  // namespace cryoscape::optics
