#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/io/atomic_model.hpp"
#include "cryoscape/structure/beads.hpp"
#include "cryoscape/structure/smooth_path.hpp"

namespace cryoscape::simulation {

/// How models become what is projected.
struct SceneOptions {
  std::string beads = "auto";  ///< "residue", "all-atom", or "auto": all atoms where the models have more
                               ///< than one per residue
  double box_length = 0;       ///< Å
  bool superpose = false;      ///< move every model onto the first by least squares
};

/// The molecule along its models, centred in the particles' frame.
class Scene {
 public:
  /// models: M ≥ 1, with the same atoms; `names` says for messages where each came from. Throws Error when
  /// they do not fit together or reach out of the box.
  Scene(const std::vector<io::AtomicModel>& models, const std::vector<std::string>& names,
        const SceneOptions& options);

  int models() const { return static_cast<int>(positions_.size()); }
  structure::BeadLevel level() const { return level_; }
  /// Electrons of the N beads.
  const std::vector<float>& amplitudes() const { return amplitudes_; }
  /// Radius of gyration of the first model, Å.
  double radius_of_gyration() const;

  /// Bead coordinates (3N) at a model number in [1, M], linear between neighbouring models.
  std::vector<float> coordinates(double model) const;
  /// Bead coordinates (3N) on the smooth path at that model number.
  std::vector<float> path_coordinates(double model) const { return bead_path_.at_model(model); }
  /// dx/ds (3N) on the smooth path at that model number, s ∈ [0, 1] the arc length of the residues; zeros for
  /// a single model.
  std::vector<float> tangent(double model) const;
  /// The smooth path of the residues' beads.
  const structure::SmoothPath& path() const { return residue_path_; }

  /// What was done to the models, one line each, for the log.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void build(const std::vector<io::AtomicModel>& models, const std::vector<std::string>& names,
             const SceneOptions& options);

  structure::BeadLevel level_ = structure::BeadLevel::residue;
  std::vector<std::vector<float>> positions_, residues_;
  std::vector<float> amplitudes_;
  std::vector<std::string> notes_;
  structure::SmoothPath bead_path_{{{0, 0, 0}}}, residue_path_{{{0, 0, 0}}};
};

/// Where a molecule's images are centred, in the frame of its first model (residues' beads (3N)): as training
/// places a model without a map, or its centroid where that rule finds nothing.
struct ImageCentre {
  geometry::Vec3 position{};
  bool by_rule = true;
};
ImageCentre image_centre(std::span<const float> residues, double box_length);

/// Reads all models of all files, in order, with a name for each ("path.pdb, model 3"). Throws Error.
std::vector<io::AtomicModel> read_all_models(const std::vector<std::filesystem::path>& files,
                                             std::vector<std::string>& names);

}  // namespace cryoscape::simulation
