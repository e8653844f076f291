#include "cryoscape/landscape/landscape_output.hpp"

#include <fmt/format.h>

#include <limits>
#include <optional>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/landscape/particle_table.hpp"
#include "cryoscape/particles/export.hpp"
#include "cryoscape/structure/allatom.hpp"

namespace cryoscape::landscape {
using nlohmann::json;
namespace {

/// Whether states can be given all atoms: the reference has more than its beads.
bool has_all_atoms(const training::Run& run) {
  if (run.settings.input.beads != "residue") return false;
  std::size_t atoms = 0;
  for (const auto& a : run.data.reference.atoms) atoms += !a.water && !a.hydrogen;
  return atoms > run.data.beads.size();
}

/// State ids of all particles, 0 for unusable ones.
std::vector<float> assignments(const Conformations& conformations, const Findings& found) {
  std::vector<float> out(conformations.particles(), 0.0f);
  for (std::size_t i = 0; i < found.cloud.particles.size(); ++i)
    out[found.cloud.particles[i]] = static_cast<float>(found.states.assignment[i]);
  return out;
}

}  // namespace

std::vector<Model> models_of_states(const Conformations& conformations, const Findings& found) {
  std::vector<Model> models;
  for (std::size_t s = 0; s < found.states.states.size(); ++s)
    models.push_back(state_model(conformations, found.space, found.cloud, found.states, s));
  return models;
}

std::vector<std::string> write_state_models(const training::Run& run, const std::vector<Model>& models,
                                            ModelFiles& files) {
  std::optional<structure::AllAtomBuilder> builder;
  if (has_all_atoms(run)) builder.emplace(run.data.reference, run.data.beads);
  std::vector<std::string> names;
  for (std::size_t s = 0; s < models.size(); ++s) {
    const auto stem = fmt::format("structures/states/state_{:02}", s + 1);
    const auto positions = placed(models[s].positions, run.data.grid.centre);
    names.push_back(files.write(stem, {&run.data.beads.records, {positions}, {models[s].b_factors}}));
    if (builder)
      files.write(stem + "_allatom",
                  {&builder->atoms(),
                   {builder->build(positions)},
                   {atom_b_factors(builder->atoms(), run.data.beads, models[s].b_factors)}});
  }
  files.write_script("states", names, names.size());
  return names;
}

void write_series(const training::Run& run, const Conformations& conformations, const Findings& found,
                  ModelFiles& files) {
  for (std::size_t c = 0; c < found.space.size(); ++c) {
    auto series = component_series(conformations, found.space, found.cloud, c);
    for (auto& positions : series) positions = placed(std::move(positions), run.data.grid.centre);
    const auto count = series.size();
    const auto name = files.write(fmt::format("structures/pca/pc{}", c + 1),
                                  {&run.data.beads.records, std::move(series), {}});
    files.write_script(fmt::format("pc{}", c + 1), {name}, count);
  }
}

void write_tables(const training::Run& run, const Conformations& conformations, const Findings& found) {
  const auto k = found.space.size();
  std::vector<float> components(conformations.particles() * k, std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < found.cloud.particles.size(); ++i)
    for (std::size_t c = 0; c < k; ++c)
      components[found.cloud.particles[i] * k + c] =
          static_cast<float>(found.cloud.points(static_cast<Eigen::Index>(c), static_cast<Eigen::Index>(i)));
  io::write_npy(run.folder.file("components.npy"), {conformations.particles(), k}, components);
  const auto states = assignments(conformations, found);
  io::write_npy(run.folder.file("assignments.npy"), {states.size(), 1}, states);
}

void write_particles(const training::Run& run) {
  const auto table = read_particle_table(run.folder.path(), run.data.particles.size());
  particles::write_particles_star(run.folder.file("particles.star"), run.data.particles, star_columns(table));
}

json states_json(const LandscapeSummary& summary, const std::vector<std::string>& models) {
  json list = json::array();
  for (std::size_t s = 0; s < summary.states.size(); ++s) {
    const auto& state = summary.states[s];
    list.push_back({{"id", s + 1},
                    {"population", state.population},
                    {"population_error", state.population_error},
                    {"energy", state.energy},
                    {"energy_error", state.energy_error},
                    {"particles", state.particles},
                    {"model", models[s]},
                    {"map", nullptr}});
  }
  return {{"particles", summary.particles},
          {"unusable", summary.unusable},
          {"continuous", summary.continuous},
          {"states", list}};
}

json landscape_json(const Findings& found, const LandscapeOptions& options) {
  json components = json::array(), selection = json::array(), modes = json::array(), barriers = json::array(),
       populations = json::array();
  for (std::size_t c = 0; c < found.space.size(); ++c)
    components.push_back(
        {{"standard_deviation", found.space.standard_deviation[c]}, {"share", found.space.share[c]}});
  for (const auto& s : found.states.selection)
    selection.push_back({{"components", s.components}, {"score", s.score}});
  for (std::size_t s = 0; s < found.states.states.size(); ++s) {
    const auto& state = found.states.states[s];
    modes.push_back(
        {{"state", s + 1}, {"position", std::vector<double>(state.peak.begin(), state.peak.end())}});
    populations.push_back(state.population);
  }
  for (const auto& b : found.states.barriers)
    barriers.push_back({{"states", {b.a + 1, b.b + 1}}, {"barrier", {b.from_a, b.from_b}}});
  return {{"clustering", options.clustering},
          {"criterion", options.criterion},
          {"components", components},
          {"selection", selection},
          {"gaussians", found.states.components},
          {"modes", modes},
          {"barriers", barriers},
          {"populations", populations},
          {"continuous", found.states.continuous}};
}

}  // namespace cryoscape::landscape
