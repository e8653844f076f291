#pragma once
#include <complex>
#include <cstddef>

namespace cryoscape::model {

/// What a score needs of every coefficient of a half-complex spectrum, by optics group.
struct SpectralTerms {
  const float* weight;        ///< 1/S; 0 for coefficients that take no part
  const float* gain;          ///< h
  const float* multiplicity;  ///< of half-complex columns
};

/// Σ |X − α h Q|²/S = a − 2αb + α²c over the measured coefficients. Those whose data are exactly 0 are
/// padding, not data: beyond the Nyquist frequency of images coarser than the grid, and on the Nyquist lines
/// of cropped spectra. Taken for data, they would say that prediction and noise are zero there.
struct QuadraticForm {
  double a = 0, b = 0, c = 0;
  double measured = 0;  ///< real degrees of freedom
};

/// Running sums over images, coefficient by coefficient: |X|², α Re(X* Q), E[α²]|Q|² and how often measured.
struct CoefficientSums {
  float *data, *cross, *prediction, *count;
};

// One pass each over `size` coefficients, in vectors chosen at run time.
QuadraticForm quadratic_form(std::size_t size, const std::complex<float>* data,
                             const std::complex<float>* prediction, const SpectralTerms& terms);
/// prediction ← factor · (of_data · X + of_prediction · h · Q) h/S, factor 1 or (where given) the CTF; 0
/// where not measured.
void spectral_gradient(std::size_t size, const std::complex<float>* data, const float* ctf,
                       const SpectralTerms& terms, float of_data, float of_prediction,
                       std::complex<float>* prediction);
void add_coefficients(std::size_t size, const std::complex<float>* data,
                      const std::complex<float>* prediction, float contrast, float contrast_square,
                      const CoefficientSums& sums);
/// spectrum ← spectrum · filter.
void multiply(std::size_t size, const float* filter, std::complex<float>* spectrum);

}  // namespace cryoscape::model
