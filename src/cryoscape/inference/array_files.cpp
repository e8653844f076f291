#include "cryoscape/inference/array_files.hpp"

#include <algorithm>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::inference {
namespace fs = std::filesystem;
namespace {

/// Rows are exact up to 2^24 as float32: larger sets are split in two columns.
constexpr std::uint32_t kRowBase = 16777216;

}  // namespace

void write_array(const fs::path& folder, const std::string& name, std::size_t columns,
                 std::span<const float> values) {
  fs::create_directories(folder);
  io::write_npy(folder / (name + ".npy"), {values.size() / std::max<std::size_t>(1, columns), columns},
                values);
}

io::FloatMatrix read_rows(const fs::path& folder, const std::string& name, std::size_t rows,
                          const std::string& command) {
  const auto path = folder / (name + ".npy");
  auto matrix = io::read_npy_matrix(path);
  if (matrix.rows != rows)
    fail("{} has {} rows where {} were expected: run {} again", path.string(), matrix.rows, rows, command);
  return matrix;
}

std::vector<float> read_array(const fs::path& folder, const std::string& name, std::size_t rows,
                              std::size_t columns, const std::string& command) {
  const auto path = folder / (name + ".npy");
  auto matrix = io::read_npy_matrix(path);
  if (matrix.rows != rows || matrix.columns != columns)
    fail("{} has shape ({}, {}) where ({}, {}) was expected: run {} again", path.string(), matrix.rows,
         matrix.columns, rows, columns, command);
  return std::move(matrix.values);
}

void write_particles(const fs::path& folder, const std::string& name,
                     const std::vector<std::uint32_t>& particle) {
  std::vector<float> rows;
  rows.reserve(2 * particle.size());
  for (const auto row : particle) {
    rows.push_back(static_cast<float>(row / kRowBase));
    rows.push_back(static_cast<float>(row % kRowBase));
  }
  write_array(folder, name, 2, rows);
}

std::vector<std::uint32_t> read_particles(const fs::path& folder, const std::string& name,
                                          const std::string& command) {
  const auto path = folder / (name + ".npy");
  const auto matrix = io::read_npy_matrix(path);
  if (matrix.columns != 2)
    fail("{} has {} columns where 2 were expected: run {} again", path.string(), matrix.columns, command);
  std::vector<std::uint32_t> particle(matrix.rows);
  for (std::size_t i = 0; i < particle.size(); ++i)
    particle[i] = static_cast<std::uint32_t>(matrix.values[2 * i]) * kRowBase +
                  static_cast<std::uint32_t>(matrix.values[2 * i + 1]);
  if (!std::is_sorted(particle.begin(), particle.end()))
    fail("{} is not in order of particles: run {} again", path.string(), command);
  return particle;
}

}  // namespace cryoscape::inference
