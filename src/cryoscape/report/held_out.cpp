#include "cryoscape/report/held_out.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/report/structure_scores.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::report {

HeldOut read_held_out(const training::RunFolder& folder, const training::RunConfig& config) {
  const auto& grid = config.grid;
  HeldOut out;
  out.particles = config.settings.input.particles;
  out.images = fmt::format("box {} at {:.4f} A, {} shells, diameter {:.1f} A, {} likelihood", grid.box,
                           grid.pixel_size, grid.max_shell, grid.diameter, config.settings.model.likelihood);
  const auto path = folder.file("held_out.npy");
  if (!std::filesystem::exists(path)) return out;
  const auto table = io::read_npy_matrix(path);
  if (table.rows > 0 && table.columns != 3)
    fail("{} has {} columns instead of 3 (row, bound, importance-weighted bound): train the run again",
         path.string(), table.columns);
  for (std::size_t i = 0; i < table.rows; ++i) {
    const auto* row = table.values.data() + 3 * i;
    if (!std::isfinite(row[1]) || !std::isfinite(row[2])) continue;
    out.bound[static_cast<std::uint32_t>(row[0])] = row[1];
    out.importance_bound[static_cast<std::uint32_t>(row[0])] = row[2];
  }
  return out;
}

BoundDifference bound_difference(const HeldOut& first, const HeldOut& other) {
  BoundDifference out;
  if (first.particles != other.particles) {
    out.note =
        fmt::format("other particles ({} instead of {})", other.particles.string(), first.particles.string());
    return out;
  }
  if (first.images != other.images) {
    out.note = fmt::format("bounds on other images ({} instead of {})", other.images, first.images);
    return out;
  }
  std::vector<double> differences;
  for (const auto& [row, bound] : other.importance_bound)
    if (const auto same = first.importance_bound.find(row); same != first.importance_bound.end())
      differences.push_back(bound - same->second);
  out.particles = differences.size();
  out.mean = mean(differences);
  if (!out.mean) out.note = "no particle was held out by both (runs of one --seed hold out the same)";
  if (differences.size() < 2) return out;
  double square = 0;
  for (const double d : differences) square += (d - *out.mean) * (d - *out.mean);
  const auto n = static_cast<double>(differences.size());
  out.standard_error = std::sqrt(square / (n - 1) / n);
  return out;
}

}  // namespace cryoscape::report
