#include "cryoscape/landscape/landscape.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cmath>

#include "cryoscape/landscape/conformation_energies.hpp"
#include "cryoscape/landscape/energy_bootstrap.hpp"
#include "cryoscape/landscape/exact_free_energy.hpp"
#include "cryoscape/landscape/free_energy.hpp"
#include "cryoscape/landscape/half_agreement.hpp"
#include "cryoscape/landscape/landscape_output.hpp"
#include "cryoscape/landscape/likelihood_populations.hpp"
#include "cryoscape/landscape/particle_analyses.hpp"
#include "cryoscape/landscape/pathways.hpp"
#include "cryoscape/landscape/population_states.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::landscape {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::size_t kMostInBasis = 5000, kBasisFloats = 64 << 20;  ///< at most 256 MiB of structures
constexpr std::size_t kFewestInBasis = 200;
constexpr double kStill = 1e-3;  ///< Å: conformations that differ by less are one

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

/// Rounding errors of one conformation are neither states nor a motion.
LandscapeOptions for_one_conformation(LandscapeOptions options) {
  spdlog::warn(
      "all particles have the same conformation: their latents tell nothing, whatever the images hold; train "
      "again with a lower --beta, a longer --warm-up or another --prior");
  if (options.states == 0) options.states = 1;
  return options;
}

/// Whether the states, of these models, have got populations by likelihoods.
bool correct_populations(const ExactFreeEnergy& exact, const CollectiveVariable& variable,
                         std::span<const double> of_particles, const std::vector<Model>& models, bool add,
                         Findings& found) {
  std::vector<double> of_states;
  for (const auto& model : models) of_states.push_back(variable.value(model.positions));
  const auto basins = likelihood_basins(exact.found, of_states, of_particles);
  if (!basins) {
    // A variable that does not follow the largest motion would not tell.
    if (variable.text == "pc1" || variable.unit_interval) take_continuity(found.states, exact.found);
    return false;
  }
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
  Variables along{parse_collective_variables(options.variable, {run.data.beads, found.space}), {}};
  if (options.nodes == "models" && along.list.size() > 1)
    throw UsageError("--nodes models goes with one variable, path:MODELS, not with two");
  found.cloud = embed(conformations, found.space, "structure space");
  auto& density = refitted ? *refitted->prior : run.model->prior();
  std::optional<PopulationSample> population;
  if (refitted) population = sample_population(run, *refitted, found.space, seed);
  const bool moves = found.space.standard_deviation[0] > kStill;
  const auto sought = moves ? options : for_one_conformation(options);
  found.states = population ? population_states(*population, found.cloud.points, sought, seed)
                            : find_states(found.cloud.points, sought, seed);
  for (const auto& variable : along.list) along.of_particles.push_back(values_of(variable, conformations));
  const auto exact = moves ? likelihood_free_energy(run, along, conformations, options, seed) : std::nullopt;
  auto models = models_of_states(conformations, found);
  // Over two variables noise in what hardly any conformation reaches looks like states too easily.
  const bool corrected =
      !refitted && exact && along.list.size() == 1 &&
      correct_populations(*exact, along.list[0], along.of_particles[0], models, options.states == 0, found);
  if (corrected) models = models_of_states(conformations, found);
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
