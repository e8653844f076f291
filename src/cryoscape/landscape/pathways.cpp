#include "cryoscape/landscape/pathways.hpp"

#include <fmt/format.h>

namespace cryoscape::landscape {
using nlohmann::json;
namespace {

/// Models along a path, in the model file's frame. Returns their file.
std::string write_path(training::Run& run, const EnergyPath& path, ModelFiles& files) {
  const auto structures = training::decode_latents(*run.model, path.latents);
  const auto length = run.data.beads.coordinates.size();
  io::ModelSeries series{&run.data.beads.records, {}, {}};
  for (std::size_t i = 0; i < path.energies.size(); ++i) {
    auto& x =
        series.positions.emplace_back(structures.begin() + static_cast<std::ptrdiff_t>(i * length),
                                      structures.begin() + static_cast<std::ptrdiff_t>((i + 1) * length));
    for (std::size_t k = 0; k < length; ++k) x[k] += static_cast<float>(run.data.grid.centre[k % 3]);
    series.b_factors.emplace_back(length / 3, static_cast<float>(path.energies[i]));
  }
  const auto name = fmt::format("path_{}_{}", path.a + 1, path.b + 1);
  const auto count = series.positions.size();
  const auto file = files.write("structures/paths/" + name, series);
  files.write_script(name, {file}, count);
  return file;
}

json minima_json(const PriorLandscape& found) {
  json list = json::array();
  for (std::size_t m = 0; m < found.minima.size(); ++m) {
    const auto& minimum = found.minima[m];
    list.push_back({{"id", m + 1},
                    {"energy", minimum.energy},
                    {"population", minimum.population},
                    {"latent", minimum.latent},
                    {"position", std::vector<double>(minimum.position.begin(), minimum.position.end())}});
    if (minimum.population_error) list.back()["population_error"] = *minimum.population_error;
    if (minimum.energy_error) list.back()["energy_error"] = *minimum.energy_error;
    if (minimum.particles) list.back()["particles"] = *minimum.particles;
  }
  return list;
}

json saddle_json(const PriorLandscape& found, const EnergyPath& path) {
  const double energy = path.energies[path.highest];
  const auto dim = path.latents.size() / path.energies.size();
  const auto first = path.latents.begin() + static_cast<std::ptrdiff_t>(path.highest * dim);
  json out{{"minima", {path.a + 1, path.b + 1}},
           {"energy", energy},
           {"barrier", {energy - found.minima[path.a].energy, energy - found.minima[path.b].energy}},
           {"latent", std::vector<float>(first, first + static_cast<std::ptrdiff_t>(dim))}};
  if (!path.errors) return out;
  out["energy_error"] = path.errors->saddle.error;
  for (const auto& barrier : path.errors->barriers) {
    out["barrier_error"].push_back(barrier.error);
    out["barrier_interval"].push_back({barrier.low, barrier.high});
  }
  return out;
}

/// Forks between numbered nodes: minima from 1, then forks.
json tree_json(const PriorLandscape& found) {
  json list = json::array();
  for (const auto& fork : found.tree) {
    list.push_back({{"energy", fork.energy}, {"nodes", {fork.first + 1, fork.second + 1}}});
    if (!found.tree_errors.empty()) list.back()["energy_error"] = found.tree_errors[list.size() - 1];
  }
  return list;
}

}  // namespace

json write_pathways(training::Run& run, const PriorLandscape& found, ModelFiles& files) {
  if (!found.notice.empty()) return {{"energy_notice", found.notice}};
  json saddles = json::array(), paths = json::array();
  for (const auto& path : found.paths) {
    saddles.push_back(saddle_json(found, path));
    paths.push_back({{"from", path.a + 1},
                     {"to", path.b + 1},
                     {"energies", path.energies},
                     {"positions_angstrom", path.lengths},
                     {"converged", path.converged},
                     {"model", write_path(run, path, files)}});
    if (path.errors) paths.back()["energies_error"] = path.errors->energies;
  }
  json out{
      {"minima", minima_json(found)}, {"saddles", saddles}, {"paths", paths}, {"tree", tree_json(found)}};
  if (found.active_directions) {
    out["active_directions"] = *found.active_directions;
    out["motion_per_direction"] = found.motion;
  }
  return out;
}

}  // namespace cryoscape::landscape
