#include "cryoscape/landscape/landscape.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cmath>
#include <limits>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/landscape/free_energy.hpp"
#include "cryoscape/landscape/model_files.hpp"
#include "cryoscape/landscape/pathways.hpp"
#include "cryoscape/landscape/state_models.hpp"
#include "cryoscape/particles/export.hpp"
#include "cryoscape/structure/allatom.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::landscape {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::size_t kMostInBasis = 5000, kBasisFloats = 64 << 20;  ///< at most 256 MiB of structures
constexpr std::size_t kFewestInBasis = 200;
constexpr double kStill = 1e-3;  ///< Å: conformations that differ by less have no free energy

/// Everything that is found before anything is written.
struct Findings {
  StructureSpace space;
  Cloud cloud;
  StateSet states;
};

void check_target(const training::Run& run) {
  const auto target = run.folder.file("particles.star");
  std::error_code code;
  if (fs::equivalent(target, run.data.particles.source, code))
    fail("{} is the run's input and would be overwritten: keep the particles outside the run's folder",
         target.string());
}

StructureSpace fit_space(const training::Run& run, const Conformations& conformations, std::uint64_t seed) {
  const auto& usable = conformations.usable();
  const auto most = std::min(kMostInBasis, std::max(kFewestInBasis, kBasisFloats / conformations.length()));
  std::vector<std::size_t> particles;
  for (const auto i : random_subset(usable.size(), most, seed)) particles.push_back(usable[i]);
  return fit_structure_space(conformations.decode(particles), run.data.scene().coordinates);
}

Cloud embed(const Conformations& conformations, const StructureSpace& space) {
  Cloud cloud{conformations.usable(), {}};
  const auto k = static_cast<Eigen::Index>(space.size());
  cloud.points.resize(k, static_cast<Eigen::Index>(cloud.particles.size()));
  conformations.stream(cloud.particles, "structure space",
                       [&](std::size_t begin, std::span<const float> structures) {
                         const auto c = project(space, structures);
                         const auto count = static_cast<Eigen::Index>(c.size()) / k;
                         cloud.points.middleCols(static_cast<Eigen::Index>(begin), count) =
                             Eigen::Map<const Eigen::MatrixXf>(c.data(), k, count).cast<double>();
                       });
  return cloud;
}

std::vector<float> shifted(std::vector<float> positions, const geometry::Vec3& centre) {
  for (std::size_t i = 0; i < positions.size(); ++i) positions[i] += static_cast<float>(centre[i % 3]);
  return positions;
}

/// Whether states can be given all atoms: the reference has more than its beads.
bool has_all_atoms(const training::Run& run) {
  if (run.settings.input.beads != "residue") return false;
  std::size_t atoms = 0;
  for (const auto& a : run.data.reference.atoms) atoms += !a.water && !a.hydrogen;
  return atoms > run.data.beads.size();
}

/// Returns the states' model files, relative to the run's folder.
std::vector<std::string> write_state_models(const training::Run& run, const Conformations& conformations,
                                            const Findings& found, ModelFiles& files) {
  std::optional<structure::AllAtomBuilder> builder;
  if (has_all_atoms(run)) builder.emplace(run.data.reference, run.data.beads);
  std::vector<std::string> names;
  for (std::size_t s = 0; s < found.states.states.size(); ++s) {
    const auto model = state_model(conformations, found.space, found.cloud, found.states, s);
    const auto stem = fmt::format("structures/states/state_{:02}", s + 1);
    const auto positions = shifted(model.positions, run.data.grid.centre);
    names.push_back(files.write(stem, {&run.data.beads.records, {positions}, {model.b_factors}}));
    if (builder)
      files.write(stem + "_allatom", {&builder->atoms(),
                                      {builder->build(positions)},
                                      {atom_b_factors(builder->atoms(), run.data.beads, model.b_factors)}});
  }
  files.write_script("states", names, names.size());
  return names;
}

void write_series(const training::Run& run, const Conformations& conformations, const Findings& found,
                  ModelFiles& files) {
  for (std::size_t c = 0; c < found.space.size(); ++c) {
    auto series = component_series(conformations, found.space, found.cloud, c);
    for (auto& positions : series) positions = shifted(std::move(positions), run.data.grid.centre);
    const auto count = series.size();
    const auto name = files.write(fmt::format("structures/pca/pc{}", c + 1),
                                  {&run.data.beads.records, std::move(series), {}});
    files.write_script(fmt::format("pc{}", c + 1), {name}, count);
  }
}

/// State ids of all particles, 0 for unusable ones.
std::vector<float> assignments(const Conformations& conformations, const Findings& found) {
  std::vector<float> out(conformations.particles(), 0.0f);
  for (std::size_t i = 0; i < found.cloud.particles.size(); ++i)
    out[found.cloud.particles[i]] = static_cast<float>(found.states.assignment[i]);
  return out;
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

  std::vector<particles::ExtraColumn> columns{
      {"rlnClassNumber", [&](std::size_t i) { return fmt::format("{}", static_cast<int>(states[i])); }}};
  for (std::size_t d = 0; d < conformations.latent_dim(); ++d)
    columns.push_back({fmt::format("rlnHeterogeneityLatent{}", d + 1), [&conformations, d](std::size_t i) {
                         const float z = conformations.latent(i)[d];
                         return fmt::format("{:.6f}", std::isfinite(z) ? z : 0.0f);  // RELION reads no nan
                       }});
  particles::write_particles_star(run.folder.file("particles.star"), run.data.particles, columns);
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

}  // namespace

LandscapeSummary write_landscape(training::Run& run, const LandscapeOptions& options) {
  check_target(run);
  const auto seed = static_cast<std::uint64_t>(run.settings.training.seed);
  const auto conformations = open_conformations(run);
  if (conformations.usable().empty())
    fail("{}: no particle has finite latents", run.folder.file("latents.npy").string());
  Findings found;
  found.space = fit_space(run, conformations, seed);
  const auto variables = parse_collective_variables(options.variable, {run.data.beads, found.space});
  found.cloud = embed(conformations, found.space);
  found.states = find_states(found.cloud.points, options, seed);

  ModelFiles files(run.folder.path(), options.format);
  files.write("structures/reference", {&run.data.beads.records, {run.data.beads.coordinates}, {}});
  const auto models = write_state_models(run, conformations, found, files);
  write_series(run, conformations, found, files);
  auto landscape = landscape_json(found, options);
  landscape.update(write_pathways(run, explore_prior(run, found.space, options.barrier, seed), files));
  landscape["free_energy"] = json::array();
  if (found.space.standard_deviation[0] > kStill)
    landscape["free_energy"].push_back(to_json(prior_free_energy(run, variables, conformations, seed)));
  files.remove_stale();
  write_tables(run, conformations, found);

  LandscapeSummary summary;
  summary.particles = conformations.particles();
  summary.unusable = summary.particles - conformations.usable().size();
  summary.component_deviations = found.space.standard_deviation;
  summary.states = found.states.states;
  summary.continuous = found.states.continuous;
  summary.states_json = states_json(summary, models);
  replace_text_file(run.folder.file("landscape.json"), landscape.dump(2) + "\n");
  replace_text_file(run.folder.file("states.json"), summary.states_json.dump(2) + "\n");
  spdlog::info("structure space: {} components, the first with a standard deviation of {:.2f} A",
               found.space.size(), found.space.standard_deviation[0]);
  return summary;
}

std::string states_table(const LandscapeSummary& summary) {
  std::string text =
      fmt::format("{:>5} {:>18} {:>16} {:>10}\n", "state", "population", "energy (kT)", "particles");
  for (std::size_t s = 0; s < summary.states.size(); ++s) {
    const auto& state = summary.states[s];
    text += fmt::format("{:>5} {:>7.2f} +- {:>5.2f} % {:>7.2f} +- {:>5.2f} {:>10}\n", s + 1,
                        100 * state.population, 100 * state.population_error, state.energy,
                        state.energy_error, state.particles);
  }
  if (summary.continuous) text += "one continuous state: its density has no dip, but is no single Gaussian\n";
  return text;
}

}  // namespace cryoscape::landscape
