#pragma once
#include <complex>
#include <cstddef>

namespace cryoscape::optics {

/// Number of coefficients (D · D · (D/2+1)) of a half-complex spectrum of a cube.
inline std::size_t half_size3(int box) { return static_cast<std::size_t>(box) * box * (box / 2 + 1); }

/// Unnormalised forward FFT of a real cube (z, y, x) into a half-complex spectrum (D, D, D/2+1), z and y in
/// FFT order. In parallel over planes.
void rfft3(int box, const float* volume, std::complex<float>* spectrum);

/// Its inverse, with the factor 1/D³; overwrites the spectrum.
void irfft3(int box, std::complex<float>* spectrum, float* volume);

/// Inverse transform, without a factor, of a spectrum (y, x) of side² complex coefficients, in place.
/// Single-threaded.
void inverse_plane(int side, std::complex<float>* plane);

/// Inverse transforms, without a factor, along the first axis of a half-complex (side/2+1, count) array into
/// (side, count) real values. Single-threaded.
void inverse_columns(int side, int count, const std::complex<float>* spectrum, float* values);

}  // namespace cryoscape::optics
