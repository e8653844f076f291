#pragma once
#include <complex>
#include <cstddef>

#include "cryoscape/model/spectral_kernel.hpp"

namespace cryoscape::model {

/// Factors by coefficient that whiten a half-complex spectrum, so that Σ over its floats of the product of
/// two is the sum of Re(u* v)/S over the whole transform: of the data √(weight · multiplicity), of
/// predictions times the gain and (where given) the CTF; 0 where nothing was measured.
void whitening_factors(std::size_t size, const std::complex<float>* data, const float* ctf,
                       const SpectralTerms& terms, float* of_data, float* of_prediction);

/// products (rows, rows) ← vectors vectorsᵀ of vectors (rows, size); single precision over short stretches,
/// double beyond.
void gram(int rows, std::size_t size, const float* vectors, double* products);

}  // namespace cryoscape::model
