#include "cryoscape/landscape/energy_bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cryoscape/inference/informed.hpp"

namespace cryoscape::landscape {
namespace {

constexpr int kResamples = 100;
constexpr inference::EmLimits kWhole{60, 1e-7};

KnownEnergies energies_of(const PriorLandscape& found) {
  KnownEnergies out;
  for (const auto& m : found.minima) out.minima.push_back(m.energy);
  for (const auto& p : found.paths) out.paths.push_back({p.a, p.b, p.energies});
  return out;
}

/// Active coordinates of latents (n, d), row by row, but for a constant.
Points placed(const PriorLandscape& found, const std::vector<float>& latents) {
  const auto d = found.directions.cols();
  return found.directions *
         Eigen::Map<const Eigen::MatrixXf>(latents.data(), d, static_cast<Eigen::Index>(latents.size()) / d)
             .cast<double>();
}

KnownPlaces places_of(const PriorLandscape& found) {
  KnownPlaces out{{found.directions.rows(), static_cast<Eigen::Index>(found.minima.size())}, {}};
  for (std::size_t m = 0; m < found.minima.size(); ++m)
    out.minima.col(static_cast<Eigen::Index>(m)) = placed(found, found.minima[m].latent);
  for (const auto& p : found.paths) out.paths.push_back(placed(found, p.latents));
  return out;
}

void add_minima_errors(PriorLandscape& found, const EnergyErrors& errors) {
  for (std::size_t m = 0; m < found.minima.size(); ++m) found.minima[m].energy_error = errors.minima[m];
}

/// A fork's height is that of the path that joins its two sides: paths span the minima, so both are the same
/// in ascending order.
std::vector<double> fork_errors(const std::vector<EnergyPath>& paths) {
  std::vector<std::size_t> order(paths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto height = [&](std::size_t i) { return paths[i].energies[paths[i].highest]; };
  std::stable_sort(order.begin(), order.end(), [&](auto i, auto j) { return height(i) < height(j); });
  std::vector<double> out;
  for (const auto i : order) out.push_back(paths[i].errors->saddle.error);
  return out;
}

void add_mixture_errors(PriorLandscape& found, const inference::RefittedPrior& density,
                        const PopulationSample& population, std::uint64_t seed) {
  using namespace inference;
  const auto informed = informed_directions(population.likelihoods);
  const auto likelihoods = along(population.likelihoods, informed);
  // Resamples start where the fit to these particles ends: the density was fitted without held-out ones.
  const auto fitted =
      deconvolve_quickly(likelihoods, {}, mapped(density.reference, informed), kWhole).mixture;
  const auto active = [&](const GaussianMixture& mixture) {
    return mapped(lifted(density.reference, informed, mixture), found.directions);
  };
  std::vector<GaussianMixture> resampled;
  for (const auto& m : bootstrap_mixtures(likelihoods, fitted, population.groups, kResamples, seed))
    resampled.push_back(active(m));
  const auto known = energies_of(found);
  const auto errors = energy_errors(
      known, resampled_energies(known, places_of(found), active(fitted), resampled, population.error_factor));
  add_minima_errors(found, errors);
  for (std::size_t i = 0; i < found.paths.size(); ++i) found.paths[i].errors = errors.paths[i];
  found.tree_errors = fork_errors(found.paths);
}

void add_population_errors(PriorLandscape& found, const BasinPopulations& basins, double error_factor) {
  KnownEnergies known;
  for (const auto& m : found.minima) known.minima.push_back(m.energy);
  const auto energy = [](double p) { return -std::log(std::max(p, kLeastPopulation)); };
  std::vector<KnownEnergies> resamples;
  for (const auto& populations : basins.resamples) {
    auto& resample = resamples.emplace_back(known);
    for (std::size_t m = 0; m < found.minima.size(); ++m)
      resample.minima[m] += error_factor * (energy(populations[m]) - energy(basins.population[m]));
  }
  add_minima_errors(found, energy_errors(known, std::move(resamples)));
}

}  // namespace

void add_energy_errors(PriorLandscape& found, const inference::RefittedPrior& density,
                       const PopulationSample& population, const BasinPopulations& basins,
                       std::uint64_t seed) {
  if (inference::is_reference(density))
    add_mixture_errors(found, density, population, seed);
  else
    add_population_errors(found, basins, population.error_factor);
}

}  // namespace cryoscape::landscape
