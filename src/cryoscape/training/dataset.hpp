#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cryoscape/io/atomic_model.hpp"
#include "cryoscape/model/heterogeneity_model.hpp"
#include "cryoscape/particles/loader.hpp"
#include "cryoscape/particles/particle_set.hpp"
#include "cryoscape/structure/beads.hpp"
#include "cryoscape/structure/docking.hpp"
#include "cryoscape/training/options.hpp"

namespace cryoscape::training {

/// Decisions about the data that later commands must repeat exactly; kept in a run's config.toml.
struct Grid {
  int box = 0, max_shell = 0;
  double pixel_size = 0, diameter = 0;  ///< Å
  float sign = 1;                       ///< factor on every image
  geometry::Vec3 centre{};              ///< of the reference model's file frame, Å
};

/// Particles and reference, read and checked.
struct Dataset {
  particles::ParticleSet particles;
  io::AtomicModel reference;   ///< as in the file
  structure::BeadModel beads;  ///< in the file's frame
  Grid grid;
  std::vector<std::string> notes;     ///< what was decided
  std::vector<std::string> warnings;  ///< what looks wrong

  model::Scene scene() const;
  particles::LoaderOptions loader_options(int batch, bool with_images, bool with_wide_ctf = false) const;
};

/// How well the reference explains the images, before any training.
struct Agreement {
  double correlation = 0,
         standard_error = 0;  ///< mean over sampled particles, of image and predicted projection
  double significance() const { return standard_error > 0 ? correlation / standard_error : 0; }
};

/// Reads particles and model, places the model, chooses the training grid. With `grid` (from a run) nothing
/// is decided anew.
Dataset open_dataset(const InputOptions& options, const std::optional<Grid>& grid);

/// Correlation of up to `sample` images with projections of the reference.
Agreement measure_agreement(const Dataset& dataset, double bead_sigma, std::size_t sample);

/// Sets the images' sign: as told, or by the sign of the correlation. Adds a note, and a warning where the
/// reference does not match.
void decide_contrast(Dataset& dataset, const InputOptions& options, double bead_sigma);

}  // namespace cryoscape::training
