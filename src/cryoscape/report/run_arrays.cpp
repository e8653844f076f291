#include "cryoscape/report/run_arrays.hpp"

#include <cmath>
#include <optional>
#include <string>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::report {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kEvidenceColumn = 0, kEnergyColumn = 2;  ///< of outliers.npy

/// A two-dimensional array of numbers in its file's bytes.
struct Table {
  io::NpyArray array;
  std::size_t rows = 0, columns = 0;
  double at(std::size_t row, std::size_t column) const {
    return array.number(array.fields[0], row * columns + column);
  }
};

std::optional<Table> read_table(const fs::path& path, RunArrays& arrays, const char* remedy) {
  if (!fs::exists(path)) return std::nullopt;
  Table table{io::read_npy(path), 0, 0};
  const auto& shape = table.array.shape;
  if (table.array.fields.size() != 1 || shape.empty() || shape.size() > 2 ||
      std::string("fiu").find(table.array.fields[0].type[0]) == std::string::npos)
    fail("{} must hold a one- or two-dimensional array of numbers ({} writes it anew)", path.string(),
         remedy);
  table.rows = shape[0], table.columns = shape.size() == 2 ? shape[1] : 1;
  if (arrays.particles > 0 && table.rows != arrays.particles)
    fail("{} has {} rows, but other files of the run have {} ({} writes it anew)", path.string(), table.rows,
         arrays.particles, remedy);
  arrays.particles = table.rows;
  return table;
}

std::vector<float> column_of(const Table& table, std::size_t column) {
  std::vector<float> out(table.rows);
  for (std::size_t r = 0; r < table.rows; ++r) out[r] = static_cast<float>(table.at(r, column));
  return out;
}

std::array<std::vector<float>, 2> first_columns(const Table& table) {
  std::array<std::vector<float>, 2> out;
  for (std::size_t c = 0; c < std::min<std::size_t>(2, table.columns); ++c) out[c] = column_of(table, c);
  return out;
}

/// Mean and mean square over the finite values of a column.
struct Moments {
  double mean = 0, square = 0;
};
Moments moments(const Table& table, std::size_t column) {
  Moments m;
  std::size_t count = 0;
  for (std::size_t r = 0; r < table.rows; ++r)
    if (const double v = table.at(r, column); std::isfinite(v)) m.mean += v, m.square += v * v, ++count;
  if (count == 0) return {std::nan(""), std::nan("")};
  return {m.mean / static_cast<double>(count), m.square / static_cast<double>(count)};
}

}  // namespace

RunArrays read_run_arrays(const fs::path& folder) {
  RunArrays arrays;
  if (const auto table = read_table(folder / "latents.npy", arrays, "cryoscape train --resume")) {
    arrays.latents = first_columns(*table);
    for (const float v : arrays.latents[0]) arrays.unusable += !std::isfinite(v);
    for (std::size_t c = 0; c < table->columns; ++c) {
      const auto m = moments(*table, c);
      arrays.spread.push_back(std::sqrt(std::max(0.0, m.square - m.mean * m.mean)));
    }
  }
  if (const auto table = read_table(folder / "latent_std.npy", arrays, "cryoscape train --resume"))
    for (std::size_t c = 0; c < table->columns; ++c)
      arrays.width.push_back(std::sqrt(moments(*table, c).square));
  if (const auto table = read_table(folder / "components.npy", arrays, "cryoscape landscape"))
    arrays.components = first_columns(*table);
  if (const auto table = read_table(folder / "embedding.npy", arrays, "cryoscape landscape"))
    arrays.embedding = first_columns(*table);
  if (const auto table = read_table(folder / "outliers.npy", arrays, "cryoscape landscape")) {
    if (table->columns <= kEnergyColumn)
      fail("{} has {} columns, not the scores of outliers (cryoscape landscape writes it anew)",
           (folder / "outliers.npy").string(), table->columns);
    arrays.evidence = column_of(*table, kEvidenceColumn);
    arrays.energy = column_of(*table, kEnergyColumn);
  }
  if (const auto table = read_table(folder / "assignments.npy", arrays, "cryoscape landscape")) {
    arrays.states.resize(table->rows);
    for (std::size_t r = 0; r < table->rows; ++r) {
      const double state = table->at(r, 0);
      arrays.states[r] = state >= 1 && state < 1e6 ? static_cast<int>(state) : 0;
    }
  }
  return arrays;
}

}  // namespace cryoscape::report
