#include <algorithm>

#include "cryoscape/inference/array_files.hpp"
#include "cryoscape/inference/likelihood_table.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::inference {
namespace fs = std::filesystem;
namespace {

constexpr const char* kCommand = "cryoscape landscape";

}  // namespace

void write_path_table(const fs::path& folder, const PathTable& path) {
  const auto& table = path.table;
  // Slopes of an earlier table must not be taken for this one's.
  fs::remove(folder / "path_slope.npy");
  write_particles(folder, "path_particle", table.particle);
  write_array(folder, "path_nodes", 1, path.node);
  write_array(folder, "path_table", table.nodes, table.value);
  if (!table.slope.empty()) write_array(folder, "path_slope", table.nodes, table.slope);
}

PathTable read_path_table(const fs::path& folder) {
  PathTable path;
  auto& table = path.table;
  table.particle = read_particles(folder, "path_particle", kCommand);
  auto value = read_rows(folder, "path_table", table.size(), kCommand);
  table.nodes = value.columns, table.value = std::move(value.values);
  path.node = read_array(folder, "path_nodes", table.nodes, 1, kCommand);
  if (!std::is_sorted(path.node.begin(), path.node.end()))
    fail("{} does not ascend: run {} again", (folder / "path_nodes.npy").string(), kCommand);
  if (fs::exists(folder / "path_slope.npy"))
    table.slope = read_array(folder, "path_slope", table.size(), table.nodes, kCommand);
  return path;
}

}  // namespace cryoscape::inference
