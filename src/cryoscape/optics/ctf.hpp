#pragma once
#include <array>
#include <complex>
#include <span>
#include <string>
#include <vector>

namespace cryoscape::optics {

/// What particles of one optics group share.
struct OpticsGroup {
  std::string name;
  double voltage_kv = 300, cs_mm = 2.7, amplitude_contrast = 0.1;
  double pixel_size = 0;                            ///< Å, of the images as stored
  int box = 0;                                      ///< pixels, of the images as stored
  std::array<double, 4> magnification{1, 0, 0, 1};  ///< rlnMagMat00, 01, 10, 11; acts on Fourier coordinates
  double beam_tilt_x = 0, beam_tilt_y = 0;          ///< mrad
  std::vector<double> odd_zernike, even_zernike;    ///< RELION 3.1's aberration coefficients, radians
  bool phase_flipped = false, premultiplied = false;
};

/// One particle's own CTF terms.
struct CtfParameters {
  float defocus_u = 0, defocus_v = 0;  ///< Å, positive is underfocus
  float defocus_angle = 0;             ///< radians, of the u axis
  float phase_shift = 0;               ///< radians
  float b_factor = 0;                  ///< Å²
  float scale = 1;
};

/// Relativistic electron wavelength in Å.
double electron_wavelength(double voltage_kv);

/// The optics of one group on a half-complex grid (box, box/2+1) of `pixel_size` Å pixels; what all particles
/// of the group share is worked out once. evaluate() and demodulate() may be called from many threads.
class CtfEvaluator {
 public:
  CtfEvaluator(const OpticsGroup& group, int box, double pixel_size);

  /// CTF with RELION's sign (positive at low frequency for white particles):
  ///   χ(f) = πλΔf(φ)f² − (π/2)Csλ³f⁴ + phase shift − even aberrations,  CTF = scale · sin(χ + asin w) ·
  ///   exp(−B f²/4),
  /// |CTF| for phase-flipped data. Frequencies go through the magnification matrix. A premultiplied group is
  /// not squared here. Exact to 1e-5 · scale. Source: RELION's ctf.h and obs_model (Zivanov et al., IUCrJ
  /// 2020, for the aberrations' Zernike basis).
  void evaluate(const CtfParameters& parameters, std::span<float> out) const;

  /// Takes the phases of beam tilt and odd aberrations off a data spectrum: X ← X · exp(−iφ(f)),
  ///   φ(f) = Σ odd Zernike terms − 2π Cs λ² f² (f · tilt).
  void demodulate(std::span<std::complex<float>> spectrum) const;
  bool has_antisymmetric_aberrations() const { return !antisymmetric_.empty(); }

 private:
  OpticsGroup group_;
  int box_;
  double step_;                                     ///< 1/Å between coefficients
  std::vector<float> even_turns_;                   ///< even aberrations / 2π; empty where there are none
  std::vector<std::complex<float>> antisymmetric_;  ///< exp(−iφ); empty where there is none
};

/// One CTF; see CtfEvaluator, which is faster for many.
void evaluate_ctf(const OpticsGroup& group, const CtfParameters& parameters, int box, double pixel_size,
                  std::span<float> out);

}  // namespace cryoscape::optics
