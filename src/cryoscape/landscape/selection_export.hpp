#pragma once
#include <filesystem>
#include <optional>
#include <string>

namespace cryoscape::landscape {

/// Which of a run's particles are written, and where.
struct ExportRequest {
  std::optional<int> state;           ///< those of a state
  std::optional<std::string> region;  ///< those in a region (particles_in_region)
  std::optional<double> outliers;     ///< per cent of the particles: those that most look like outliers
  std::filesystem::path out;          ///< .star or .cs
  bool force = false;                 ///< overwrite
};

/// How many particles were written, of how many.
struct ExportCount {
  std::size_t written = 0, of = 0;
};

/// Writes particles of a run after its landscape: as RELION STAR with the columns of RUN/particles.star, or
/// as cryoSPARC's own rows. Images are not opened. Throws UsageError unless exactly one choice is made and
/// the extension is known; Error where there is no landscape yet, for a state that does not exist, where no
/// particle is chosen, and for an existing file.
ExportCount export_particles(const std::filesystem::path& run, const ExportRequest& request);

}  // namespace cryoscape::landscape
