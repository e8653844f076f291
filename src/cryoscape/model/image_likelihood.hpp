#pragma once
#include <complex>
#include <cstdint>
#include <span>
#include <vector>

#include "cryoscape/model/spectral_model.hpp"
#include "cryoscape/projection/kernel.hpp"

namespace cryoscape::model {

/// How a prediction is scored against an image.
struct LikelihoodOptions {
  /// Standard deviation of the per-particle contrast α ~ N(1, sd²), integrated out in closed form; 0 fixes α
  /// = 1.
  double contrast_sd = 0.2;
  /// Instead of the Gaussian likelihood: CryoSTAR's normalised correlation of prediction and data (no energy
  /// in kT then).
  bool correlation = false;
};

/// One batch as raw memory; every array has a leading dimension of `size` particles.
struct BatchView {
  int size = 0;
  const float* coordinates = nullptr;            ///< (size, N, 3) Å, centred
  const float* rotations = nullptr;              ///< (size, 3, 3)
  const float* shifts = nullptr;                 ///< (size, 2) Å
  const std::complex<float>* spectra = nullptr;  ///< (size, D, D/2+1) unnormalised FFT of the images
  const float* ctf = nullptr;                    ///< (size, D, D/2+1)
  /// (size, 2D, D+1), or null. Where given, predictions are filtered in a box of twice the size (WideCtf) and
  /// `ctf` serves only the encoder's features.
  const float* wide_ctf = nullptr;
  const std::int64_t* groups = nullptr;  ///< (size) optics group
};

/// What to compute beside the score; null pointers are skipped.
struct LikelihoodOutput {
  float* log_likelihood = nullptr;            ///< (size) nats: log p(x | coordinates), or the correlation
  float* coordinate_gradient = nullptr;       ///< (size, N, 3) of the score
  float* contrast = nullptr;                  ///< (size) posterior mean of α
  float* chi_square = nullptr;                ///< (size) Σ |X − α̂ h Q|² / S per degree of freedom
  std::vector<SpectralSums>* sums = nullptr;  ///< resized to groups × shells: sums over the batch
};

/// Scores predicted projections against images in half-complex Fourier space, project → FFT → score → inverse
/// FFT → coordinates fused per particle, parallel over particles:
///   log p(x|z) = −½ Σ_f [ |X − α h CTF P|²/S + ln 2πS ], α integrated out (`../docs/mathematics.md`,
///   "Likelihood").
/// Coefficients whose data are exactly zero were never measured (images coarser than the grid are padded with
/// zeros): they enter neither score nor sums, except for their share of ln 2πS, which is the same for every
/// structure. Results do not depend on the number of threads.
void evaluate_likelihood(const projection::ProjectionSpec& projection, std::span<const float> amplitudes,
                         const SpectralModel& spectral, const LikelihoodOptions& options,
                         const BatchView& batch, const LikelihoodOutput& output);

}  // namespace cryoscape::model
