#pragma once
#include <complex>
#include <cstddef>
#include <vector>

namespace cryoscape::optics {

/// Number of coefficients (D · (D/2+1)) of a half-complex spectrum.
inline std::size_t half_size(int box) { return static_cast<std::size_t>(box) * (box / 2 + 1); }

/// Unnormalised forward FFT of a real (D, D) image into a half-complex (D, D/2+1) spectrum: row ky in FFT
/// order (0 … D/2−1, −D/2 … −1), column kx from 0 to D/2. Single-threaded; may be called from many threads.
void rfft2(int box, const float* image, std::complex<float>* spectrum);

/// The same for the columns kx < `columns` only; the others are left undefined. For spectra that are cropped
/// next.
void rfft2(int box, const float* image, std::complex<float>* spectrum, int columns);

/// Its inverse, with the factor 1/D².
void irfft2(int box, const std::complex<float>* spectrum, float* image);

/// rfft2 of the image (D, D) set into the corner of a box of twice the size, and the corner of irfft2 of
/// such a spectrum (2D, D+1): rows that hold nothing are not transformed.
void padded_rfft2(int box, const float* image, std::complex<float>* spectrum);
void padded_irfft2(int box, std::complex<float>* spectrum, float* image);  ///< overwrites the spectrum

/// Resamples a half-complex spectrum from box `from` to a smaller, equal or larger even box `to` (crop or
/// zero-pad). Coefficients are scaled by to/from, so that white noise of unit variance keeps unit variance
/// per pixel. Nyquist rows and columns, which stand for two frequencies each, are set to zero when cropping
/// or padding.
void fourier_crop(int from, const std::complex<float>* spectrum, int to, std::complex<float>* out);

/// image ← IFFT[filter · FFT[image]] with a real half-complex filter (D, D/2+1).
void apply_filter(int box, float* image, const float* filter);

/// Smallest even number ≥ minimum whose prime factors are 2, 3, 5 and 7.
int good_fft_size(int minimum);

}  // namespace cryoscape::optics
