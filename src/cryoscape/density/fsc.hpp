#pragma once
#include <complex>
#include <cstdint>
#include <span>
#include <vector>

namespace cryoscape::density {

/// Fourier shell correlation of two half-complex spectra of cubes (D, D, D/2+1), shells 0 … D/2; 0 where a
/// map has no power. In parallel, the same for any number of threads.
std::vector<double> shell_correlation(int box, std::span<const std::complex<float>> a,
                                      std::span<const std::complex<float>> b);

/// The same of two maps (D, D, D), multiplied by a mask first unless it is empty.
std::vector<double> map_correlation(int box, std::span<const float> a, std::span<const float> b,
                                    std::span<const float> mask = {});

/// Mean amplitude |F| per shell of a half-complex spectrum of a cube.
std::vector<double> shell_amplitudes(int box, std::span<const std::complex<float>> spectrum);

/// Gives every coefficient from shell `first` on a random phase, uniform and the same for one seed, keeping
/// the spectrum that of a real map.
void randomise_phases(int box, int first, std::uint64_t seed, std::span<std::complex<float>> spectrum);

/// FSC of two half-maps and what a mask does to it.
struct FscCurves {
  std::vector<double> unmasked, masked, randomised, corrected;  ///< by shell
  int randomised_from = 0;  ///< first shell with random phases: where `unmasked` falls below 0.8
};

/// FSC curves of half-maps (D, D, D) under a mask, with the correction of Chen et al. (Ultramicroscopy 2013):
/// where phases beyond the first shells are random, what correlation the masked maps have is the mask's,
///   corrected = (masked − randomised)/(1 − randomised) from two shells behind randomised_from on, before
///   that masked.
FscCurves measure_fsc(int box, std::span<const float> half1, std::span<const float> half2,
                      std::span<const float> mask);

/// Frequency, in shells, where a curve first falls below a threshold, interpolated; the last shell if it
/// never does, 0 if it begins below. Shell 0 does not count.
double crossing(std::span<const double> curve, double threshold);

}  // namespace cryoscape::density
