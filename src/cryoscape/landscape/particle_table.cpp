#include "cryoscape/landscape/particle_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/training/run_latents.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::landscape {
namespace fs = std::filesystem;
namespace {

/// An array of a run's folder, of one row per particle.
io::FloatMatrix read_array(const fs::path& path, std::size_t particles) {
  auto matrix = io::read_npy_matrix(path);
  if (matrix.rows != particles)
    fail("{} has {} rows, but the run has {} particles: run cryoscape landscape again", path.string(),
         matrix.rows, particles);
  return matrix;
}

std::vector<float> column_of(const io::FloatMatrix& matrix, std::size_t column) {
  std::vector<float> out(matrix.rows);
  for (std::size_t i = 0; i < matrix.rows; ++i) out[i] = matrix.values[i * matrix.columns + column];
  return out;
}

/// All columns of an array as prefix1, prefix2, …
void add_numbered(ParticleTable& table, const io::FloatMatrix& matrix, const std::string& prefix) {
  for (std::size_t c = 0; c < matrix.columns; ++c)
    table.columns.push_back({fmt::format("{}{}", prefix, c + 1), column_of(matrix, c)});
}

std::vector<float> above_lowest(std::vector<float> energy) {
  float lowest = std::numeric_limits<float>::infinity();
  for (const float e : energy) lowest = std::fmin(lowest, e);
  for (float& e : energy) e -= lowest;
  return energy;
}

/// In the order of kOutlierColumns; energies of conformations, where there are some, before the prior's.
void add_scores(ParticleTable& table, const io::FloatMatrix& scores, const fs::path& run) {
  auto evidence = column_of(scores, 0);
  for (float& e : evidence) e = -e;
  const auto energies = run / "conformation_energy.npy";
  table.columns.push_back({"U", fs::exists(energies) ? column_of(read_array(energies, scores.rows), 0)
                                                     : above_lowest(column_of(scores, 2))});
  table.columns.push_back({"outlier", std::move(evidence)});
  table.columns.push_back({"contrast", column_of(scores, 1)});
  table.columns.push_back({"chi_square", column_of(scores, 3)});
  table.columns.push_back({"neighbour_distance", column_of(scores, 4)});
}

}  // namespace

const ParticleColumn* ParticleTable::find(const std::string& name) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const ParticleColumn& c) { return c.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

std::string ParticleTable::names() const {
  std::string out;
  for (const auto& c : columns) out += (out.empty() ? "" : ", ") + c.name;
  return out;
}

ParticleTable read_particle_table(const fs::path& run, std::size_t particles) {
  for (const char* name : {"assignments.npy", "components.npy", "outliers.npy", "latents.npy"})
    if (!fs::exists(run / name))
      fail("{} does not exist: run cryoscape landscape {} first", (run / name).string(), run.string());
  ParticleTable table;
  table.columns.push_back({"state", column_of(read_array(run / "assignments.npy", particles), 0)});
  add_scores(table, read_array(run / "outliers.npy", particles), run);
  add_numbered(table, read_array(run / "components.npy", particles), "pc");
  if (fs::exists(run / "embedding.npy"))
    add_numbered(table, read_array(run / "embedding.npy", particles), "umap");
  add_numbered(table, read_array(run / training::best_latents(run), particles), "z");
  return table;
}

std::vector<particles::ExtraColumn> star_columns(const ParticleTable& table, std::vector<std::size_t> rows) {
  std::vector<particles::ExtraColumn> out;
  const auto add = [&](std::string label, const ParticleColumn& column, bool whole) {
    out.push_back({std::move(label), [&column, rows, whole](std::size_t i) {
                     const float value = column.values[rows.empty() ? i : rows[i]];
                     if (!std::isfinite(value)) return std::string("0");
                     return whole ? fmt::format("{}", static_cast<int>(value)) : fmt::format("{:.6f}", value);
                   }});
  };
  for (const auto& column : table.columns) {
    if (column.name == "state") add("rlnClassNumber", column, true);
    if (column.name == "U") add("cryoscapeEnergy", column, false);
    if (column.name == "outlier") add("cryoscapeOutlierScore", column, false);
    if (column.name.starts_with("z")) add("rlnHeterogeneityLatent" + column.name.substr(1), column, false);
  }
  return out;
}

}  // namespace cryoscape::landscape
