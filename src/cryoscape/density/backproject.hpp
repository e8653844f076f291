#pragma once
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cryoscape/density/fsc.hpp"
#include "cryoscape/density/options.hpp"
#include "cryoscape/density/sharpening.hpp"

namespace cryoscape::density {

/// What a reconstruction came to.
struct Reconstruction {
  int box = 0;
  double pixel_size = 0;                   ///< Å
  std::array<std::size_t, 2> particles{};  ///< by half-set
  std::size_t left_out = 0;
  std::string symmetry;
  FscCurves fsc;
  double mask_fraction = 0;  ///< mean of the mask
  Guinier guinier;
  std::optional<double> b_factor;                         ///< Å², of the sharpened map
  std::optional<std::array<double, 3>> local_resolution;  ///< Å, 10, 50 and 90 % of the mask's voxels
  /// FSC of map.mrc with the map of --check, without and with the mask.
  std::optional<std::array<std::vector<double>, 2>> check;

  double extent() const { return box * pixel_size; }
  /// Å where a curve falls below a threshold; infinite where it never reaches it.
  double resolution(const std::vector<double>& curve, double threshold) const;
  /// Where the corrected FSC falls below 0.143.
  double resolution() const { return resolution(fsc.corrected, 0.143); }
};

/// Reconstructs particles of known poses: reads them, measures the noise of every optics group, inserts both
/// half-sets, and writes into `folder` half1.mrc and half2.mrc (unfiltered), map.mrc (all particles, Wiener
/// filter by the FSC), with a B-factor
/// map_sharpened.mrc, with `local` map_local.mrc and local_resolution.mrc, and fsc.star. Throws Error,
/// UsageError for options that do not fit, before any image is read wherever that can be known; existing
/// output is an Error unless `force`.
Reconstruction back_project_particles(const DensityOptions& options, const std::filesystem::path& folder,
                                      bool force);

}  // namespace cryoscape::density
