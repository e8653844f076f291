#include "cryoscape/landscape/conformation_energies.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/progress.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kBatch = 500;

Points latents_of(const Conformations& conformations, std::span<const std::size_t> particles) {
  Points out(static_cast<Eigen::Index>(conformations.latent_dim()),
             static_cast<Eigen::Index>(particles.size()));
  for (std::size_t i = 0; i < particles.size(); ++i) {
    const auto z = conformations.latent(particles[i]);
    for (std::size_t j = 0; j < z.size(); ++j)
      out(static_cast<Eigen::Index>(j), static_cast<Eigen::Index>(i)) = z[j];
  }
  return out;
}

}  // namespace

std::optional<BasinPopulations> count_basins(PriorLandscape& found, const Points& particles,
                                             const std::optional<PopulationSample>& population,
                                             std::uint64_t seed) {
  if (!found.basins_of) return std::nullopt;
  for (auto& m : found.minima) m.particles = 0;
  for (const int b : found.basins_of(particles)) ++*found.minima[static_cast<std::size_t>(b)].particles;
  if (!population) return std::nullopt;
  auto of_basins = basin_populations(*population, found.minima.size(), found.basins_of, seed);
  for (std::size_t m = 0; m < found.minima.size(); ++m) {
    found.minima[m].population = of_basins.population[m];
    found.minima[m].population_error = of_basins.error[m];
  }
  return of_basins;
}

void write_conformation_energies(const training::Run& run, const PriorLandscape& found,
                                 const Conformations& conformations) {
  const auto path = run.folder.file("conformation_energy.npy");
  if (!found.energy) {
    std::filesystem::remove(path);
    return;
  }
  std::vector<float> out(conformations.particles(), std::numeric_limits<float>::quiet_NaN());
  const auto& usable = conformations.usable();
  Progress progress("energies of conformations", usable.size(), "particles");
  for (std::size_t begin = 0; begin < usable.size(); begin += kBatch) {
    throw_if_interrupted();
    const auto some = std::span(usable).subspan(begin, std::min(kBatch, usable.size() - begin));
    const Eigen::VectorXd energy = found.energy(latents_of(conformations, some));
    for (std::size_t i = 0; i < some.size(); ++i)
      out[some[i]] = static_cast<float>(energy[static_cast<Eigen::Index>(i)]);
    progress.advance(some.size());
  }
  io::write_npy(path, {out.size(), 1}, out);
}

}  // namespace cryoscape::landscape
