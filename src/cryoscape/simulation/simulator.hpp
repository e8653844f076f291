#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cryoscape/util/options.hpp"

namespace cryoscape::simulation {

/// What `simulate` makes. Every field is an option of the command.
struct SimulationOptions {
  std::optional<std::string> profile;      ///< CSV of position (0 … 1) and energy (kT)
  std::optional<std::string> populations;  ///< "model:weight,…"
  double spread = 0;                       ///< models
  int particles = 10000;
  int box = 64;
  double pixel_size = 1.5;  ///< Å
  double snr = 0.05;
  std::vector<double> defocus{1.0, 2.0};  ///< µm, lowest and highest
  double astigmatism = 200;               ///< Å, largest difference of the two defoci
  double shift = 0;                       ///< Å, standard deviation in x and in y
  double junk = 0;
  std::string views = "uniform";
  double b_factor = 0;  ///< Å²
  std::string noise = "white";
  std::string beads = "auto";
  std::optional<double> bead_sigma;  ///< Å
  double voltage = 300;              ///< kV
  double cs = 2.7;                   ///< mm
  double amplitude_contrast = 0.1;
  bool superpose = false;
  bool write_maps = false;
  int seed = 1;

  void declare(OptionSet& set);
};

/// Simulates particles of the models (PDB or mmCIF files, concatenated) and writes `out`/particles.star,
/// particles.mrcs and truth.star, with write_maps also `out`/truth_maps/model_NNN.mrc. Parents are created.
/// The same options give the same bytes for any number of threads. Images are white on black with background
/// mean 0 and noise of standard deviation 1. Throws Error for models that do not fit together or into the
/// box, for impossible options, and for existing output unless `force`.
void simulate(const std::vector<std::filesystem::path>& models, const std::filesystem::path& out,
              const SimulationOptions& options, bool force);

}  // namespace cryoscape::simulation
