#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "cryoscape/particles/export.hpp"

namespace cryoscape::landscape {

/// One number of every particle of a run.
struct ParticleColumn {
  std::string name;
  std::vector<float> values;  ///< (particles), NaN where unusable
};

/// What a landscape says of a run's particles, by name: `state`, `U` (kT: of the conformation, the lowest
/// minimum's 0; where there is no energy of conformations −ln p(z) of the prior, the lowest particle's 0),
/// `outlier` (minus the evidence ratio of outliers.npy, nats: high for outliers), `contrast`, `chi_square`,
/// `neighbour_distance`, `pc1` … (Å), `umap1`, `umap2` and the latents `z1` …
struct ParticleTable {
  std::vector<ParticleColumn> columns;

  /// Null where there is none of that name.
  const ParticleColumn* find(const std::string& name) const;
  /// "state, U, …".
  std::string names() const;
  std::size_t particles() const { return columns.empty() ? 0 : columns.front().values.size(); }
};

/// Reads the arrays that `landscape` wrote into a run's folder. Throws Error where there is no landscape yet,
/// and for arrays of another number of particles.
ParticleTable read_particle_table(const std::filesystem::path& run, std::size_t particles);

/// Columns of a particle table for RELION: rlnClassNumber (state), cryoscapeEnergy (U),
/// cryoscapeOutlierScore and rlnHeterogeneityLatent1 …; 0 where a particle is unusable, as RELION reads no
/// nan. `table` must outlive them, and `rows` (if given) says which of its rows each particle is.
std::vector<particles::ExtraColumn> star_columns(const ParticleTable& table,
                                                 std::vector<std::size_t> rows = {});

}  // namespace cryoscape::landscape
