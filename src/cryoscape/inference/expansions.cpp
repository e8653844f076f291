#include "cryoscape/inference/expansions.hpp"

#include <algorithm>
#include <span>
#include <string>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::inference {
namespace fs = std::filesystem;
namespace {

void write(const fs::path& folder, const std::string& name, std::size_t columns,
           std::span<const float> values) {
  fs::create_directories(folder);
  io::write_npy(folder / (name + ".npy"), {values.size() / std::max<std::size_t>(1, columns), columns},
                values);
}

/// Rows are exact up to 2^24 as float32: larger sets are split in two columns.
constexpr float kRowBase = 16777216;

void write_particles(const fs::path& folder, const std::string& name,
                     const std::vector<std::uint32_t>& particle) {
  std::vector<float> rows;
  rows.reserve(2 * particle.size());
  for (const auto row : particle) {
    rows.push_back(static_cast<float>(row / static_cast<std::uint32_t>(kRowBase)));
    rows.push_back(static_cast<float>(row % static_cast<std::uint32_t>(kRowBase)));
  }
  write(folder, name, 2, rows);
}

std::vector<float> read(const fs::path& folder, const std::string& name, std::size_t rows,
                        std::size_t columns) {
  const auto path = folder / (name + ".npy");
  auto matrix = io::read_npy_matrix(path);
  if (matrix.rows != rows || matrix.columns != columns)
    fail("{} has shape ({}, {}) where ({}, {}) was expected: run cryoscape refine again", path.string(),
         matrix.rows, matrix.columns, rows, columns);
  return std::move(matrix.values);
}

std::size_t columns_of(const fs::path& folder, const std::string& name) {
  return io::read_npy_matrix(folder / (name + ".npy")).columns;
}

std::vector<std::uint32_t> read_particles(const fs::path& folder, const std::string& name) {
  const auto path = folder / (name + ".npy");
  const auto matrix = io::read_npy_matrix(path);
  if (matrix.columns != 2)
    fail("{} has {} columns where 2 were expected: run cryoscape refine again", path.string(),
         matrix.columns);
  std::vector<std::uint32_t> particle(matrix.rows);
  for (std::size_t i = 0; i < particle.size(); ++i)
    particle[i] = static_cast<std::uint32_t>(matrix.values[2 * i]) * static_cast<std::uint32_t>(kRowBase) +
                  static_cast<std::uint32_t>(matrix.values[2 * i + 1]);
  if (!std::is_sorted(particle.begin(), particle.end()))
    fail("{} is not in order of particles: run cryoscape refine again", path.string());
  return particle;
}

}  // namespace

void write_expansions(const fs::path& folder, const Expansions& e) {
  write_particles(folder, "expansion_particle", e.particle);
  write(folder, "expansion_point", e.dim, e.point);
  write(folder, "expansion_score", e.dim, e.score);
  write(folder, "expansion_information", e.dim * e.dim, e.information);
  write(folder, "expansion_log_ratio", 1, e.log_ratio);
  write(folder, "expansion_mass", 1, e.mass);
}

Expansions read_expansions(const fs::path& folder) {
  Expansions e;
  e.particle = read_particles(folder, "expansion_particle");
  e.dim = columns_of(folder, "expansion_point");
  e.point = read(folder, "expansion_point", e.size(), e.dim);
  e.score = read(folder, "expansion_score", e.size(), e.dim);
  e.information = read(folder, "expansion_information", e.size(), e.dim * e.dim);
  e.log_ratio = read(folder, "expansion_log_ratio", e.size(), 1);
  e.mass = read(folder, "expansion_mass", e.size(), 1);
  return e;
}

void write_scored_draws(const fs::path& folder, const ScoredDraws& d) {
  write_particles(folder, "draw_particle", d.particle);
  write(folder, "draw_latent", d.dim, d.latent);
  write(folder, "draw_log_ratio", 1, d.log_ratio);
  write(folder, "draw_log_proposal", 1, d.log_proposal);
}

ScoredDraws read_scored_draws(const fs::path& folder) {
  ScoredDraws d;
  d.particle = read_particles(folder, "draw_particle");
  d.dim = columns_of(folder, "draw_latent");
  d.latent = read(folder, "draw_latent", d.size(), d.dim);
  d.log_ratio = read(folder, "draw_log_ratio", d.size(), 1);
  d.log_proposal = read(folder, "draw_log_proposal", d.size(), 1);
  return d;
}

}  // namespace cryoscape::inference
