#include "cryoscape/inference/expansions.hpp"

#include <string>

#include "cryoscape/inference/array_files.hpp"

namespace cryoscape::inference {
namespace fs = std::filesystem;
namespace {

constexpr const char* kCommand = "cryoscape refine";

std::vector<float> read(const fs::path& folder, const std::string& name, std::size_t rows,
                        std::size_t columns) {
  return read_array(folder, name, rows, columns, kCommand);
}

}  // namespace

void write_expansions(const fs::path& folder, const Expansions& e) {
  write_particles(folder, "expansion_particle", e.particle);
  write_array(folder, "expansion_point", e.dim, e.point);
  write_array(folder, "expansion_score", e.dim, e.score);
  write_array(folder, "expansion_information", e.dim * e.dim, e.information);
  write_array(folder, "expansion_log_ratio", 1, e.log_ratio);
  write_array(folder, "expansion_mass", 1, e.mass);
}

Expansions read_expansions(const fs::path& folder) {
  Expansions e;
  e.particle = read_particles(folder, "expansion_particle", kCommand);
  auto point = read_rows(folder, "expansion_point", e.size(), kCommand);
  e.dim = point.columns, e.point = std::move(point.values);
  e.score = read(folder, "expansion_score", e.size(), e.dim);
  e.information = read(folder, "expansion_information", e.size(), e.dim * e.dim);
  e.log_ratio = read(folder, "expansion_log_ratio", e.size(), 1);
  e.mass = read(folder, "expansion_mass", e.size(), 1);
  return e;
}

void write_scored_draws(const fs::path& folder, const ScoredDraws& d) {
  write_particles(folder, "draw_particle", d.particle);
  write_array(folder, "draw_latent", d.dim, d.latent);
  write_array(folder, "draw_log_ratio", 1, d.log_ratio);
  write_array(folder, "draw_log_proposal", 1, d.log_proposal);
}

ScoredDraws read_scored_draws(const fs::path& folder) {
  ScoredDraws d;
  d.particle = read_particles(folder, "draw_particle", kCommand);
  auto latent = read_rows(folder, "draw_latent", d.size(), kCommand);
  d.dim = latent.columns, d.latent = std::move(latent.values);
  d.log_ratio = read(folder, "draw_log_ratio", d.size(), 1);
  d.log_proposal = read(folder, "draw_log_proposal", d.size(), 1);
  return d;
}

}  // namespace cryoscape::inference
