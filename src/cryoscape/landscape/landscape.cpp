#include "cryoscape/landscape/landscape.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cmath>
#include <limits>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/landscape/conformation_energies.hpp"
#include "cryoscape/landscape/energy_bootstrap.hpp"
#include "cryoscape/landscape/exact_free_energy.hpp"
#include "cryoscape/landscape/free_energy.hpp"
#include "cryoscape/landscape/half_agreement.hpp"
#include "cryoscape/landscape/likelihood_populations.hpp"
#include "cryoscape/landscape/model_files.hpp"
#include "cryoscape/landscape/particle_analyses.hpp"
#include "cryoscape/landscape/particle_table.hpp"
#include "cryoscape/landscape/pathways.hpp"
#include "cryoscape/landscape/population_states.hpp"
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

/// Whether states can be given all atoms: the reference has more than its beads.
bool has_all_atoms(const training::Run& run) {
  if (run.settings.input.beads != "residue") return false;
  std::size_t atoms = 0;
  for (const auto& a : run.data.reference.atoms) atoms += !a.water && !a.hydrogen;
  return atoms > run.data.beads.size();
}

std::vector<Model> models_of_states(const Conformations& conformations, const Findings& found) {
  std::vector<Model> models;
  for (std::size_t s = 0; s < found.states.states.size(); ++s)
    models.push_back(state_model(conformations, found.space, found.cloud, found.states, s));
  return models;
}

/// Returns the states' model files, relative to the run's folder.
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

void check_half_run(const training::Run& run, const std::string& other) {
  const auto theirs = training::read_config(training::RunFolder::open(other)).settings.input;
  const auto& ours = run.settings.input;
  if (ours.half == theirs.half && ours.subset == theirs.subset)
    throw UsageError(
        fmt::format("--half-run {}: it was trained on the same particles as {}: train one with --half 1, one "
                    "with --half 2",
                    other, run.folder.path().string()));
}

/// Leaves the states that the other half-set's run has too.
nlohmann::json compare_with_half(const std::string& other, std::vector<Model>& models, StateSet& states) {
  std::vector<HalfState> own;
  for (std::size_t s = 0; s < models.size(); ++s)
    own.push_back({states.states[s].population, states.states[s].population_error, models[s].positions});
  const auto agreement = compare_halves(own, read_half_states(other));
  std::vector<Model> kept;
  for (std::size_t s = 0; s < models.size(); ++s)
    if (agreement.found_in_both(s)) kept.push_back(std::move(models[s]));
  models = std::move(kept);
  keep_found_in_both(states, agreement);
  spdlog::info("half-sets: {} of {} states are found in both, agreement {:.2f}", models.size(), own.size(),
               agreement.agreement);
  return half_agreement_json(agreement, other);
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

/// The refitted density, where it is asked for.
std::optional<inference::RefittedPrior> chosen_density(const training::Run& run,
                                                       const LandscapeOptions& options) {
  if (options.density != "refitted") return std::nullopt;
  auto refitted = inference::open_refitted_prior(run);
  if (!refitted)
    fail("--density refitted: {} has no refitted prior, or an older one: run cryoscape refine first",
         run.folder.path().string());
  return refitted;
}

/// The variables that free energies are asked along.
struct Variables {
  std::vector<CollectiveVariable> list;
  std::vector<std::vector<double>> of_particles;  ///< values in the particles' conformations, one list each
};

/// From likelihoods, where these are in nats and the conformations differ.
std::optional<ExactFreeEnergy> likelihood_free_energy(training::Run& run, const Variables& variables,
                                                      const Conformations& conformations,
                                                      const LandscapeOptions& options, std::uint64_t seed) {
  if (run.settings.model.likelihood == "correlation") return std::nullopt;
  const auto& v = variables.list;
  if (v.size() == 1)
    return exact_free_energy(run, v[0], conformations, variables.of_particles[0], options, seed);
  return exact_free_energy(run, std::array{v[0], v[1]}, conformations, variables.of_particles, options, seed);
}

/// Whether the states have got populations by likelihoods.
bool correct_populations(const ExactFreeEnergy& exact, const Variables& variables,
                         const Conformations& conformations, bool add, Findings& found) {
  std::vector<float> positions;
  for (const auto& model : models_of_states(conformations, found))
    positions.insert(positions.end(), model.positions.begin(), model.positions.end());
  std::vector<std::vector<double>> of_states;
  for (const auto& variable : variables.list)
    of_states.push_back(evaluate(variable, positions, conformations.length()));
  const auto basins = likelihood_basins(exact.found, of_states, variables.of_particles);
  if (!basins) return false;
  if (take_populations(found.states, found.cloud.points, *basins, add)) return true;
  spdlog::info("states: a basin of the free energy has none: their populations are those of posterior means");
  return false;
}

}  // namespace

LandscapeSummary write_landscape(training::Run& run, const LandscapeOptions& options) {
  check_target(run);
  if (options.half_run) check_half_run(run, *options.half_run);
  const auto refitted = chosen_density(run, options);
  const auto seed = static_cast<std::uint64_t>(run.settings.training.seed);
  const auto conformations = open_conformations(run);
  if (conformations.usable().empty())
    fail("{}: no particle has finite latents", run.folder.file("latents.npy").string());
  Findings found;
  found.space = fit_space(run, conformations, seed);
  const auto variables = parse_collective_variables(options.variable, {run.data.beads, found.space});
  if (options.nodes == "models" && variables.size() > 1)
    throw UsageError("--nodes models goes with one variable, path:MODELS, not with two");
  found.cloud = embed(conformations, found.space, "structure space");
  auto& density = refitted ? *refitted->prior : run.model->prior();
  std::optional<PopulationSample> population;
  if (refitted) population = sample_population(run, *refitted, found.space, seed);
  found.states = population ? population_states(*population, found.cloud.points, options, seed)
                            : find_states(found.cloud.points, options, seed);
  Variables along{variables, {}};
  for (const auto& variable : variables) along.of_particles.push_back(values_of(variable, conformations));
  const bool moves = found.space.standard_deviation[0] > kStill;
  const auto exact = moves ? likelihood_free_energy(run, along, conformations, options, seed) : std::nullopt;
  const bool corrected =
      !refitted && exact && correct_populations(*exact, along, conformations, options.states == 0, found);
  auto models = models_of_states(conformations, found);
  json half_sets;
  if (options.half_run) half_sets = compare_with_half(*options.half_run, models, found.states);
  const auto analyses = analyse_particles(run, conformations, found.cloud, options, seed);

  ModelFiles files(run.folder.path(), options.format);
  files.write("structures/reference", {&run.data.beads.records, {run.data.beads.coordinates}, {}});
  const auto names = write_state_models(run, models, files);
  write_series(run, conformations, found, files);
  auto landscape = landscape_json(found, options);
  landscape["population_source"] = refitted    ? "refitted density"
                                   : corrected ? "likelihoods"
                                               : "posterior means";
  landscape["density"] = refitted ? refitted->options.kind + ", refitted" : run.settings.model.prior.kind;
  auto explored = explore_prior(run, density, found.space, options.barrier, seed);
  const auto basins = count_basins(explored, found.cloud.points, population, seed);
  if (basins) add_energy_errors(explored, *refitted, *population, *basins, seed);
  landscape.update(write_pathways(run, explored, files));
  landscape["free_energy"] = json::array();
  if (exact) landscape["free_energy"].push_back(exact->entry);
  if (moves)
    landscape["free_energy"].push_back(
        to_json(prior_free_energy(run, density, along.list, along.of_particles, seed)));
  files.remove_stale();
  write_tables(run, conformations, found);
  write_analyses(run, found.cloud, analyses);
  write_conformation_energies(run, explored, conformations);
  write_particles(run);

  LandscapeSummary summary;
  summary.particles = conformations.particles();
  summary.unusable = summary.particles - conformations.usable().size();
  summary.component_deviations = found.space.standard_deviation;
  summary.states = found.states.states;
  summary.continuous = found.states.continuous;
  summary.states_json = states_json(summary, names);
  add_analyses(landscape, options, analyses);
  landscape["half_sets"] = half_sets;
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
