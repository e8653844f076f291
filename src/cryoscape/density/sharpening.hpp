#pragma once
#include <span>
#include <vector>

namespace cryoscape::density {

/// A Guinier plot: ln of a map's mean amplitude over squared frequency, and the line through its fine end.
struct Guinier {
  std::vector<double> resolution_squared, log_amplitude;  ///< 1/Å², by shell; without shell 0
  int first = 0, last = 0;                                ///< entries fitted, [first, last)
  double slope = 0, intercept = 0;
  /// The B-factor (Å²) that makes the fitted part level: negative where amplitudes fall.
  double b_factor() const { return 4 * slope; }
};

/// Fits shells from 10 Å to `resolution` Å of mean amplitudes per shell, as RELION does (Rosenthal and
/// Henderson, J. Mol. Biol. 2003). Without three shells between them nothing is fitted and the slope is 0.
Guinier fit_guinier(std::span<const double> amplitudes, double extent, double resolution);

/// Multiplies a map (D, D, D) by exp(−B f²/4), f in 1/Å: B < 0 sharpens; beyond `resolution` Å (0: nowhere)
/// it is cut off over two shells.
void apply_b_factor(int box, double pixel_size, double b_factor, double resolution, std::vector<float>& map);

}  // namespace cryoscape::density
