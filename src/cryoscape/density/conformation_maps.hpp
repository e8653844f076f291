#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cryoscape/density/options.hpp"
#include "cryoscape/training/run.hpp"

namespace cryoscape::density {

/// How maps of a run's conformations are made.
struct MapOptions {
  std::string method = "deform";  ///< backproject, kernel, deform or neural
  std::string at = "states";      ///< see find_targets
  std::optional<std::string> half_run;
  double field_width = 6;  ///< Å, τ of DisplacementField

  /// Declares all but --half-run, which `run` shares with the landscape, and --method, which particle files
  /// have too.
  void declare(OptionSet& set);
};

/// Whether `path` is a run's folder, not a particle file.
bool is_run(const std::filesystem::path& path);

/// Makes half-maps and maps of conformations of a run, and writes into `folder` (empty: RUN/maps) per target
/// NAME.mrc (filtered by its FSC), NAME_half1.mrc, NAME_half2.mrc, NAME_model.cif (where the conformation
/// lies in the map) and NAME_residues.csv (correlation of map and model by residue), and fsc.star, maps.cxc
/// for ChimeraX and density.json, which is returned. Maps of RUN/maps at its states are entered into
/// states.json. With --half-run the run's particles make the first half-map and the other run's, with its own
/// decoder, the second. Targets that an interrupted pass has finished are not made again where `resume`.
/// Throws Error as back_project_particles does; existing output elsewhere than in RUN/maps is an Error unless
/// `force` or `resume`.
nlohmann::ordered_json write_conformation_maps(training::Run& run, const DensityOptions& density,
                                               const MapOptions& options, std::filesystem::path folder,
                                               bool force, bool resume);

/// What it returns, for people to read.
std::string conformation_maps_table(const nlohmann::ordered_json& summary);

}  // namespace cryoscape::density
