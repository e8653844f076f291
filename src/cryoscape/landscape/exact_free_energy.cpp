#include "cryoscape/landscape/exact_free_energy.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/inference/free_energy.hpp"
#include "cryoscape/inference/likelihood_table.hpp"
#include "cryoscape/landscape/free_energy.hpp"
#include "cryoscape/landscape/half_free_energy.hpp"
#include "cryoscape/landscape/states.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::landscape {
using nlohmann::json;
namespace {

constexpr double kUnreached = 100;  ///< kT: higher barriers cross points without conformations

/// The particles whose likelihoods are tabulated.
std::vector<std::uint32_t> chosen_particles(const Conformations& conformations, int most,
                                            std::uint64_t seed) {
  const auto& usable = conformations.usable();
  const auto count = most > 0 ? static_cast<std::size_t>(most) : usable.size();
  std::vector<std::uint32_t> out;
  for (const auto i : random_subset(usable.size(), count, seed))
    out.push_back(static_cast<std::uint32_t>(usable[i]));
  return out;
}

/// What is resampled together: symmetry expansion repeats images.
std::vector<std::uint32_t> groups_of(const training::Run& run, const inference::LikelihoodTable& table) {
  std::vector<std::string> names;
  for (const auto particle : table.particle)
    names.push_back(particles::image_name(run.data.particles, particle));
  return inference::groups_of(names);
}

/// A number along one variable, a list of two over two.
json place_json(const std::vector<double>& position) {
  return position.size() == 1 ? json(position.front()) : json(position);
}

/// Values at the points that are reached, null at the others.
json values_json(const inference::PopulationGrid& grid, const std::vector<double>& values) {
  const auto reached = grid.reaches();
  json out = json::array();
  for (std::size_t k = 0; k < values.size(); ++k) out.push_back(reached[k] ? json(values[k]) : json(nullptr));
  return out;
}

json states_json(const inference::FreeEnergy& found) {
  json basins = json::array(), barriers = json::array();
  for (const auto& s : found.states)
    basins.push_back({{"population", s.population.value},
                      {"population_error", s.population.error},
                      {"population_interval", {s.population.low, s.population.high}},
                      {"minimum", s.minimum},
                      {"position", place_json(s.position)},
                      {"presence", s.presence}});
  for (const auto& b : found.barriers)
    barriers.push_back({{"from", b.from + 1},
                        {"to", b.to + 1},
                        {"energy", b.energy.value},
                        {"error", b.energy.error},
                        {"interval", {b.energy.low, b.energy.high}},
                        {"position", place_json(b.position)}});
  return {{"basins", basins}, {"barriers", barriers}, {"continuous", found.continuous}};
}

std::vector<double> points_of(const inference::PopulationGrid::Axis& axis) {
  std::vector<double> out;
  for (std::size_t k = 0; k < axis.nodes; ++k) out.push_back(axis.at(k));
  return out;
}

/// Cells with an axis' points in their middles.
GridAxis cells_of(const inference::PopulationGrid::Axis& axis) {
  return {axis.first, axis.length() / static_cast<double>(axis.nodes - 1), axis.nodes, false};
}

/// Where the likelihoods are tabulated.
ConformationPath nodes_along(training::Run& run, const CollectiveVariable& variable,
                             const Conformations& conformations, const LandscapeOptions& options,
                             std::uint64_t seed) {
  if (options.nodes != "models") return conformations_along(variable, run, conformations, seed);
  if (!variable.path)
    fail("--nodes models needs --variable path:MODELS, whose models have all {} beads of the reference",
         run.data.beads.size());
  return models_along(*variable.path, run.data.scene().coordinates);
}

/// Mean over particles of ln ∫ p(x|ξ) p(ξ) dξ − ln p(x|no particle), nats, by the nodes of the table: what
/// tells which conformations explain the images better.
double mean_evidence(const inference::PathTable& along, const inference::PopulationFit& fit) {
  const std::size_t nodes = along.node.size(), stride = (fit.density.size() - 1) / (nodes - 1);
  const double spacing = (along.node.back() - along.node.front()) / static_cast<double>(nodes - 1);
  double sum = 0;
  for (std::size_t i = 0; i < along.table.size(); ++i) {
    const auto values = along.table.values_of(i);
    const double largest = *std::max_element(values.begin(), values.end());
    double mass = 0;
    for (std::size_t k = 0; k < nodes; ++k)
      mass += (k == 0 || k + 1 == nodes ? 0.5 : 1) * spacing * fit.density[k * stride] *
              std::exp(values[k] - largest);
    sum += largest + std::log(mass);
  }
  return sum / static_cast<double>(along.table.size());
}

void report(const std::string& variable, const inference::FreeEnergy& found) {
  if (found.continuous) spdlog::info("{}: continuous, without states", variable);
  for (const auto& s : found.states)
    spdlog::info("{}: state at {:.3g}, {:.1f} +- {:.1f} %", variable, fmt::join(s.position, "; "),
                 100 * s.population.value, 100 * s.population.error);
  for (const auto& b : found.barriers)
    spdlog::info("{}: barrier of {:.2f} +- {:.2f} kT at {:.3g}", variable, b.energy.value, b.energy.error,
                 fmt::join(b.position, "; "));
}

/// What entries along one and over two variables have in common.
json common_entry(const inference::FreeEnergy& found, const std::string& nodes, std::size_t particles) {
  auto entry = states_json(found);
  entry["source"] = "likelihood";
  entry["nodes"] = nodes;
  entry["particles"] = particles;
  entry["energy"] = values_json(found.grid, found.energy);
  entry["energy_error"] = values_json(found.grid, found.energy_error);
  entry["energy_interval"] = {values_json(found.grid, found.energy_low),
                              values_json(found.grid, found.energy_high)};
  return entry;
}

/// The entry, with what the other half-set's run adds to bars, and populations with the same errors.
ExactFreeEnergy with_bars(inference::FreeEnergy found, json entry, const LandscapeOptions& options) {
  entry["bars"] = kGivenDecoder;
  if (options.half_run) add_half_run(entry, *options.half_run);
  for (std::size_t b = 0; b < found.states.size(); ++b)
    found.states[b].population.error = entry["basins"][b]["population_error"];
  return {std::move(found), std::move(entry)};
}

inference::FreeEnergyOptions fit_options(const LandscapeOptions& options, std::uint64_t seed) {
  inference::FreeEnergyOptions out;
  out.seed = seed, out.least_depth = options.barrier;
  return out;
}

}  // namespace

ExactFreeEnergy exact_free_energy(training::Run& run, const CollectiveVariable& variable,
                                  const Conformations& conformations, std::span<const double> of_particles,
                                  const LandscapeOptions& options, std::uint64_t seed) {
  const auto path = nodes_along(run, variable, conformations, options, seed);
  const inference::PathTable along{
      {path.values.begin(), path.values.end()},
      inference::tabulate(*run.model, run.data, path.structures, path.tangents,
                          chosen_particles(conformations, options.table_particles, seed))};
  const auto groups = groups_of(run, along.table);
  const auto found = inference::bootstrap(inference::population_table(along.table, along.node, groups),
                                          fit_options(options, seed));
  const auto gaussian = inference::fit_population(
      inference::population_table(along.table, along.node, groups, inference::Rows::gaussian));
  report(variable.text, found);

  const auto& axis = found.grid.axes.front();
  auto entry = common_entry(found, options.nodes, along.table.size());
  entry["variable"] = variable.text;
  entry["kind"] = kind_of(variable);
  entry["unit"] = variable.unit;
  entry["evidence"] = mean_evidence(along, found.fit);
  entry["grid"] = points_of(axis);
  entry["raw_histogram"] = inference::histogram(of_particles, axis);
  entry["gaussian_factors"] = inference::free_energy(gaussian.density);
  if (entry["kind"] == "path") inference::write_path_table(run.folder.file("likelihood"), along);
  return with_bars(found, std::move(entry), options);
}

ExactFreeEnergy exact_free_energy(training::Run& run, const std::array<CollectiveVariable, 2>& variables,
                                  const Conformations& conformations,
                                  const std::vector<std::vector<double>>& of_particles,
                                  const LandscapeOptions& options, std::uint64_t seed) {
  const auto plane = conformations_over(variables, run, conformations, seed);
  const auto table = inference::tabulate(*run.model, run.data, plane.structures, {},
                                         chosen_particles(conformations, options.table_particles, seed));
  auto found = inference::bootstrap(inference::population_table(table, plane.grid, groups_of(run, table)),
                                    fit_options(options, seed));
  std::erase_if(found.barriers, [](const auto& b) { return !(b.energy.value < kUnreached); });
  const auto text = variables[0].text + ";" + variables[1].text;
  report(text, found);

  auto entry = common_entry(found, options.nodes, table.size());
  entry["variable"] = text;
  entry["kind"] = kind_of(variables[0]) + ";" + kind_of(variables[1]);
  entry["unit"] = {variables[0].unit, variables[1].unit};
  entry["grid"] = {points_of(found.grid.axes[0]), points_of(found.grid.axes[1])};
  entry["raw_histogram"] =
      histogram({cells_of(found.grid.axes[0]), cells_of(found.grid.axes[1])}, of_particles);
  return with_bars(found, std::move(entry), options);
}

}  // namespace cryoscape::landscape
