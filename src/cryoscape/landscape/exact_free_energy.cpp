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

json states_json(const inference::FreeEnergy& found) {
  json basins = json::array(), barriers = json::array();
  for (const auto& s : found.states)
    basins.push_back({{"population", s.population.value},
                      {"population_error", s.population.error},
                      {"population_interval", {s.population.low, s.population.high}},
                      {"minimum", s.minimum},
                      {"position", s.position.front()},
                      {"presence", s.presence}});
  for (const auto& b : found.barriers)
    barriers.push_back({{"from", b.from + 1},
                        {"to", b.to + 1},
                        {"energy", b.energy.value},
                        {"error", b.energy.error},
                        {"interval", {b.energy.low, b.energy.high}},
                        {"position", b.position.front()}});
  return {{"basins", basins}, {"barriers", barriers}, {"continuous", found.continuous}};
}

std::vector<double> points_of(const inference::PopulationGrid::Axis& axis) {
  std::vector<double> out;
  for (std::size_t k = 0; k < axis.nodes; ++k) out.push_back(axis.at(k));
  return out;
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
    spdlog::info("{}: state at {:.3g}, {:.1f} +- {:.1f} %", variable, s.position.front(),
                 100 * s.population.value, 100 * s.population.error);
  for (const auto& b : found.barriers)
    spdlog::info("{}: barrier of {:.2f} +- {:.2f} kT at {:.3g}", variable, b.energy.value, b.energy.error,
                 b.position.front());
}

}  // namespace

json exact_free_energy(training::Run& run, const CollectiveVariable& variable,
                       const Conformations& conformations, std::span<const double> of_particles,
                       const LandscapeOptions& options, std::uint64_t seed) {
  const auto path = nodes_along(run, variable, conformations, options, seed);
  const inference::PathTable along{
      {path.values.begin(), path.values.end()},
      inference::tabulate(*run.model, run.data, path.structures, path.tangents,
                          chosen_particles(conformations, options.table_particles, seed))};
  const auto groups = groups_of(run, along.table);
  inference::FreeEnergyOptions fit;
  fit.seed = seed, fit.least_depth = options.barrier;
  const auto found = inference::bootstrap(inference::population_table(along.table, along.node, groups), fit);
  const auto gaussian = inference::fit_population(
      inference::population_table(along.table, along.node, groups, inference::Rows::gaussian));
  report(variable.text, found);

  const auto& axis = found.grid.axes.front();
  auto entry = states_json(found);
  entry["variable"] = variable.text;
  entry["kind"] = kind_of(variable);
  entry["unit"] = variable.unit;
  entry["source"] = "likelihood";
  entry["nodes"] = options.nodes;
  entry["particles"] = along.table.size();
  entry["evidence"] = mean_evidence(along, found.fit);
  entry["grid"] = points_of(axis);
  entry["energy"] = found.energy;
  entry["energy_error"] = found.energy_error;
  entry["energy_interval"] = {found.energy_low, found.energy_high};
  entry["raw_histogram"] = inference::histogram(of_particles, axis);
  entry["gaussian_factors"] = inference::free_energy(gaussian.density);
  entry["bars"] = kGivenDecoder;
  if (options.half_run) add_half_run(entry, *options.half_run);
  if (entry["kind"] == "path") inference::write_path_table(run.folder.file("likelihood"), along);
  return entry;
}

}  // namespace cryoscape::landscape
