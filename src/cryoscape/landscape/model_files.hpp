#pragma once
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/io/atomic_model.hpp"

namespace cryoscape::landscape {

/// Centred positions (3N) in the frame of a model file whose centre is given, Å.
std::vector<float> placed(std::vector<float> positions, const geometry::Vec3& centre);

/// Writes the models of a run's structures/ folder, remembers their names, and removes what an earlier call
/// left there.
class ModelFiles {
 public:
  /// `format`: cif, pdb or both.
  ModelFiles(std::filesystem::path run, const std::string& format);

  /// Writes `stem`.cif and/or .pdb; `stem` is relative to the run's folder. Returns the name of the first,
  /// relative to it.
  std::string write(const std::string& stem, const io::ModelSeries& series);
  /// structures/`name`.cxc: opens `models` (relative to the run's folder) in ChimeraX and morphs through
  /// `count` models in all.
  void write_script(const std::string& name, const std::vector<std::string>& models, std::size_t count);
  /// Removes models and scripts of an earlier landscape that were not written now; other files stay.
  void remove_stale() const;

 private:
  std::filesystem::path run_;
  std::vector<std::string> extensions_;
  std::set<std::string> written_;
};

}  // namespace cryoscape::landscape
