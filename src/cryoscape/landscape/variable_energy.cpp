#include "cryoscape/landscape/variable_energy.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "cryoscape/inference/free_energy.hpp"
#include "cryoscape/inference/likelihood_table.hpp"
#include "cryoscape/landscape/collective_variable.hpp"
#include "cryoscape/landscape/conformation_path.hpp"
#include "cryoscape/landscape/states.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::landscape {
using nlohmann::json;
namespace {

constexpr std::size_t kOfParticles = 4000;  ///< structures that conformations along a variable come from
constexpr std::size_t kFewest = 200, kBasisFloats = 64 << 20;

/// What the molecule does: structures (M, 3N) of particles, as the decoder places them.
struct Ensemble {
  std::size_t length = 0;  ///< 3N
  std::vector<float> structures;
};

Ensemble ensemble_of(const Conformations& conformations, std::uint64_t seed) {
  const auto& usable = conformations.usable();
  const auto most = std::min(kOfParticles, std::max(kFewest, kBasisFloats / conformations.length()));
  std::vector<std::size_t> particles;
  for (const auto i : random_subset(usable.size(), most, seed)) particles.push_back(usable[i]);
  return {conformations.length(), conformations.decode(particles)};
}

/// The particles whose likelihoods are tabulated.
std::vector<std::uint32_t> tabulated(const Conformations& conformations, int most, std::uint64_t seed) {
  const auto& usable = conformations.usable();
  std::vector<std::uint32_t> out;
  for (const auto i :
       random_subset(usable.size(), most > 0 ? static_cast<std::size_t>(most) : usable.size(), seed))
    out.push_back(static_cast<std::uint32_t>(usable[i]));
  return out;
}

/// Symmetry expansion repeats images: those of one particle are resampled together.
std::vector<std::uint32_t> groups(const training::Run& run, const inference::LikelihoodTable& table) {
  std::vector<std::string> names;
  for (const auto row : table.particle) names.push_back(particles::image_name(run.data.particles, row));
  return inference::groups_of(names);
}

json states_json(const inference::FreeEnergy& f) {
  json basins = json::array(), barriers = json::array();
  for (const auto& s : f.states)
    basins.push_back({{"population", s.population.value},
                      {"population_error", s.population.error},
                      {"population_interval", {s.population.low, s.population.high}},
                      {"minimum", s.minimum},
                      {"position", s.position},
                      {"presence", s.presence}});
  for (const auto& b : f.barriers)
    barriers.push_back({{"from", b.from + 1},
                        {"to", b.to + 1},
                        {"energy", b.energy.value},
                        {"error", b.energy.error},
                        {"interval", {b.energy.low, b.energy.high}},
                        {"position", b.position}});
  return {{"basins", basins}, {"barriers", barriers}, {"continuous", f.continuous}};
}

std::vector<double> grid_of(const inference::PopulationGrid::Axis& axis) {
  std::vector<double> out;
  for (std::size_t k = 0; k < axis.nodes; ++k) out.push_back(axis.at(k));
  return out;
}

/// Along one variable.
class Profile {
 public:
  Profile(training::Run& run, const CollectiveVariable& variable, const Ensemble& ensemble,
          std::span<const std::uint32_t> particles)
      : path_(conformations_along(variable, ensemble.structures, ensemble.length)),
        positions_(evaluate(variable, ensemble.structures, ensemble.length)) {
    table_.node.assign(path_.values.begin(), path_.values.end());
    table_.table = inference::tabulate(*run.model, run.data, path_.structures, path_.tangents, particles);
    groups_ = groups(run, table_.table);
  }

  const inference::PathTable& table() const { return table_; }

  json energy(const CollectiveVariable& variable, std::uint64_t seed) const {
    inference::FreeEnergyOptions options;
    options.seed = seed;
    const auto exact =
        inference::bootstrap(inference::population_table(table_.table, table_.node, groups_), options);
    const auto gaussian = inference::fit_population(
        inference::population_table(table_.table, table_.node, groups_, inference::Rows::gaussian));
    const auto& axis = exact.grid.axes.front();
    json entry = states_json(exact);
    entry["variable"] = variable.text;
    entry["kind"] = variable.text.substr(0, variable.text.find(':'));
    entry["unit"] = variable.unit;
    entry["particles"] = table_.table.size();
    entry["grid"] = grid_of(axis);
    entry["energy"] = exact.energy;
    entry["energy_error"] = exact.energy_error;
    entry["energy_interval"] = {exact.energy_low, exact.energy_high};
    entry["raw_histogram"] = inference::histogram(positions_, axis);
    entry["gaussian_factors"] = inference::free_energy(gaussian.density);
    report(variable, exact);
    return entry;
  }

 private:
  static void report(const CollectiveVariable& variable, const inference::FreeEnergy& f) {
    if (f.continuous) spdlog::info("{}: continuous, without states", variable.text);
    for (const auto& s : f.states)
      spdlog::info("{}: state at {:.3f}, {:.1f} +- {:.1f} %, minimum {:.2f} kT", variable.text,
                   s.position.front(), 100 * s.population.value, 100 * s.population.error, s.minimum);
    for (const auto& b : f.barriers)
      spdlog::info("{}: barrier of {:.2f} +- {:.2f} kT at {:.3f}", variable.text, b.energy.value,
                   b.energy.error, b.position.front());
  }

  ConformationPath path_;
  std::vector<double> positions_;
  inference::PathTable table_;
  std::vector<std::uint32_t> groups_;
};

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end; begin <= text.size(); begin = end + 1) {
    end = std::min(text.find(at, begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
  }
  return parts;
}

}  // namespace

json variable_energies(training::Run& run, const Conformations& conformations, const StructureSpace& space,
                       const LandscapeOptions& options, std::uint64_t seed) {
  json out = json::array();
  if (options.variables == "none") return out;
  if (run.settings.model.likelihood == "correlation") {
    spdlog::info("no free energies: the likelihood of this run is not in nats");
    return out;
  }
  const Molecule molecule{run.data.beads, space};
  std::vector<CollectiveVariable> variables;
  for (const auto& text : split(options.variables, ';'))
    variables.push_back(parse_collective_variable(text, molecule));
  const auto ensemble = ensemble_of(conformations, seed);
  const auto particles = tabulated(conformations, options.table_particles, seed);
  bool path_written = false;
  for (const auto& variable : variables) {
    const Profile profile(run, variable, ensemble, particles);
    out.push_back(profile.energy(variable, seed));
    if (!path_written && out.back()["kind"] == "path") {
      inference::write_path_table(run.folder.file("likelihood"), profile.table());
      path_written = true;
    }
  }
  return out;
}

}  // namespace cryoscape::landscape
