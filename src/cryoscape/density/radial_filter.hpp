#pragma once
#include <complex>
#include <functional>
#include <span>
#include <vector>

namespace cryoscape::density {

/// Multiplies a half-complex spectrum of a cube (D, D, D/2+1) by a gain of the distance from the origin, in
/// shells. In parallel.
void scale_spectrum(int box, const std::function<double(double shell)>& gain,
                    std::span<std::complex<float>> spectrum);

/// Multiplies the transform of a map (D, D, D) by a gain of the distance from the origin, in shells.
void apply_radial(int box, const std::function<double(double shell)>& gain, std::vector<float>& map);

/// The same with one gain per shell (D/2+1), the last one beyond: leaves every shell's correlation as it is.
void scale_shells(int box, std::span<const double> gains, std::vector<float>& map);

}  // namespace cryoscape::density
