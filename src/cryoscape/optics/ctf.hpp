#pragma once
#include <array>
#include <span>
#include <string>
#include <vector>

namespace cryoscape::optics {

/// What particles of one optics group share.
struct OpticsGroup {
  std::string name;
  double voltage_kv = 300, cs_mm = 2.7, amplitude_contrast = 0.1;
  double pixel_size = 0;  ///< Å, of the images as stored
  int box = 0;            ///< pixels, of the images as stored
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

/// CTF on the half-complex grid (box, box/2+1) of `pixel_size` Å pixels, RELION's sign (positive at low frequency for white particles):
///   χ(f) = πλΔf(φ)f² − (π/2)Csλ³f⁴ + phase shift + even aberrations,  CTF = scale · sin(χ + asin w) · exp(−B f²/4),
/// |CTF| for phase-flipped data. Frequencies go through the magnification matrix. A premultiplied group is not squared here.
/// Source: RELION's ctf.h and obs_model (Zivanov et al., IUCrJ 2020, for the aberrations' Zernike basis).
void evaluate_ctf(const OpticsGroup& group, const CtfParameters& parameters, int box, double pixel_size, std::span<float> out);

}  // namespace cryoscape::optics
