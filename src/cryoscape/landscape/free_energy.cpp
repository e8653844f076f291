#include "cryoscape/landscape/free_energy.hpp"

#include <algorithm>

#include "cryoscape/landscape/prior_landscape.hpp"
#include "cryoscape/landscape/states.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kPathParticles = 20000, kPathFloats = 64 << 20;  ///< at most 256 MiB of structures
constexpr std::size_t kFewestPathParticles = 200;
constexpr std::size_t kDraws = 10000;
constexpr std::size_t kCellsOfOne = 100, kCellsOfTwo = 50;

/// Draws of the density of a run's latents.
std::vector<float> density_draws(training::Run& run, latent::Prior& prior, std::uint64_t seed) {
  if (!run.settings.training.energy_in_prior) return prior_draws(prior, kDraws, seed);
  const auto path = run.folder.file("prior_samples.npy");
  auto draws = io::read_npy_matrix(path);
  if (draws.columns != static_cast<std::size_t>(run.model->latent_dim()))
    fail("{} has {} columns, but the model's latents have {} dimensions", path.string(), draws.columns,
         run.model->latent_dim());
  return std::move(draws.values);
}

/// Conformations of particles, and as many of draws of the prior.
std::vector<float> reached_structures(training::Run& run, const Conformations& conformations,
                                      std::uint64_t seed) {
  const auto& usable = conformations.usable();
  const auto most =
      std::clamp(kPathFloats / conformations.length(), kFewestPathParticles, kPathParticles) / 2;
  std::vector<std::size_t> particles;
  for (const auto i : random_subset(usable.size(), most, seed)) particles.push_back(usable[i]);
  auto structures = conformations.decode(particles);
  auto draws = density_draws(run, run.model->prior(), seed);
  draws.resize(std::min(draws.size(), most * conformations.latent_dim()));
  const auto drawn = training::decode_latents(*run.model, draws);
  structures.insert(structures.end(), drawn.begin(), drawn.end());
  return structures;
}

}  // namespace

std::string kind_of(const CollectiveVariable& variable) {
  return variable.text.substr(0, std::min(variable.text.find_first_of(":0123456789"), variable.text.size()));
}

std::vector<double> values_of(const CollectiveVariable& variable, const Conformations& conformations) {
  std::vector<double> out;
  conformations.stream(conformations.usable(), variable.text,
                       [&](std::size_t, std::span<const float> structures) {
                         const auto values = evaluate(variable, structures, conformations.length());
                         out.insert(out.end(), values.begin(), values.end());
                       });
  return out;
}

ConformationPath conformations_along(const CollectiveVariable& variable, training::Run& run,
                                     const Conformations& conformations, std::uint64_t seed,
                                     std::size_t nodes) {
  return conformations_along(variable, reached_structures(run, conformations, seed), conformations.length(),
                             nodes);
}

ConformationPlane conformations_over(const std::array<CollectiveVariable, 2>& variables, training::Run& run,
                                     const Conformations& conformations, std::uint64_t seed) {
  return conformations_over(variables, reached_structures(run, conformations, seed), conformations.length());
}

FreeEnergy prior_free_energy(training::Run& run, latent::Prior& prior,
                             const std::vector<CollectiveVariable>& variables,
                             const std::vector<std::vector<double>>& of_particles, std::uint64_t seed) {
  io::FloatMatrix latents{0, static_cast<std::size_t>(run.model->latent_dim()),
                          density_draws(run, prior, seed)};
  latents.rows = latents.values.size() / latents.columns;
  const Conformations draws(*run.model, std::move(latents), "the prior");
  FreeEnergy out;
  std::vector<std::vector<double>> of_draws;
  for (std::size_t v = 0; v < variables.size(); ++v) {
    const auto& variable = variables[v];
    out.variable += (out.variable.empty() ? "" : ";") + variable.text;
    out.kind += (out.kind.empty() ? "" : ";") + kind_of(variable);
    out.units.push_back(variable.unit);
    of_draws.push_back(values_of(variable, draws));
    auto all = of_draws.back();
    all.insert(all.end(), of_particles[v].begin(), of_particles[v].end());
    out.axes.push_back(
        grid_axis(all, variable.unit_interval, variables.size() == 1 ? kCellsOfOne : kCellsOfTwo));
  }
  out.energy = free_energy(smooth_density(out.axes, of_draws), of_draws.front().size());
  out.raw_histogram = histogram(out.axes, of_particles);
  return out;
}

nlohmann::json to_json(const FreeEnergy& found) {
  std::vector<std::vector<double>> grids;
  for (const auto& axis : found.axes) {
    auto& grid = grids.emplace_back();
    for (std::size_t i = 0; i < axis.count; ++i) grid.push_back(axis.at(i));
  }
  auto energy = nlohmann::json::array();
  for (const auto& e : found.energy) energy.push_back(e ? nlohmann::json(*e) : nlohmann::json(nullptr));
  nlohmann::json out{{"variable", found.variable},  {"kind", found.kind},
                     {"unit", found.units},         {"source", "prior"},
                     {"energy", std::move(energy)}, {"raw_histogram", found.raw_histogram}};
  if (grids.size() == 1)
    out["unit"] = found.units.front(), out["grid"] = grids.front();
  else
    out["grid"] = grids;
  return out;
}

}  // namespace cryoscape::landscape
