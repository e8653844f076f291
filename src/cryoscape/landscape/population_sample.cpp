#include "cryoscape/landscape/population_sample.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "cryoscape/inference/draw_refit.hpp"
#include "cryoscape/inference/mixture_fit.hpp"
#include "cryoscape/landscape/prior_landscape.hpp"
#include "cryoscape/landscape/states.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kDraws = 20000, kMostParticles = 20000, kDrawsPerParticle = 16;
constexpr std::size_t kMostDecoded = kMostParticles * kDrawsPerParticle;
constexpr int kResamples = 100;

/// Entries of at most `most` particles, and the share of all that these are.
template <class Likelihoods>
Likelihoods some_of(const Likelihoods& all, std::size_t most, std::uint64_t seed, double& share) {
  const auto particles = inference::entry_ranges(all.particle).size();
  share = std::min(1.0, static_cast<double>(most) / static_cast<double>(particles));
  std::vector<char> keep(particles, 0);
  for (const auto i : random_subset(particles, most, seed)) keep[i] = 1;
  return inference::subset(all, keep);
}

/// Returns the share of the particles that are in the sample.
double draw_posteriors(training::Run& run, const inference::RefittedPrior& density, std::uint64_t seed,
                       PopulationSample& out) {
  double share = 1;
  const auto folder = run.folder.file("likelihood");
  if (!std::filesystem::exists(folder))
    fail("{} does not exist, but the prior is refitted: run cryoscape refine first", folder.string());
  if (density.reference.empty()) {
    const auto draws = inference::read_scored_draws(folder);
    const auto each = std::max<std::size_t>(1, draws.size() / inference::entry_ranges(draws.particle).size());
    out.posteriors = inference::refit_draws(some_of(draws, kMostDecoded / each, seed, share));
    return share;
  }
  out.likelihoods = some_of(inference::informed_expansions(run), kMostParticles, seed, share);
  out.posteriors = inference::posterior_draws(inference::proposal_of(density.reference), out.likelihoods,
                                              kDrawsPerParticle, seed + 1);
  return share;
}

Points place(training::Run& run, std::vector<float> latents, const StructureSpace& space,
             const std::string& label) {
  io::FloatMatrix rows{0, static_cast<std::size_t>(run.model->latent_dim()), std::move(latents)};
  rows.rows = rows.values.size() / rows.columns;
  return embed(Conformations(*run.model, std::move(rows), label), space, label).points;
}

}  // namespace

PopulationSample sample_population(training::Run& run, const inference::RefittedPrior& density,
                                   const StructureSpace& space, std::uint64_t seed) {
  PopulationSample out;
  out.error_factor = std::sqrt(draw_posteriors(run, density, seed + 91, out));
  out.energies = inference::energies_of(*density.prior, out.posteriors);
  out.groups = inference::image_groups(run.data.particles);
  out.draws = place(run, prior_draws(*density.prior, kDraws, seed + 90), space, "refitted density");
  out.places = place(run, out.posteriors.latent, space, "posteriors");
  return out;
}

BasinPopulations basin_populations(const PopulationSample& sample, std::size_t basins,
                                   const BasinsOfPlaces& basins_of, std::uint64_t seed) {
  BasinPopulations out;
  out.population.assign(basins, 0.0);
  for (const int b : basins_of(sample.draws)) out.population.at(static_cast<std::size_t>(b)) += 1;
  for (auto& p : out.population) p /= static_cast<double>(sample.draws.cols());
  const auto of_posteriors = basins_of(sample.places);
  const auto resampled = inference::bootstrap_populations(
      sample.posteriors, sample.energies, basins, [&](const std::vector<float>&) { return of_posteriors; },
      out.population, sample.groups, kResamples, seed);
  out.error = inference::standard_errors(resampled);
  for (auto& e : out.error) e *= sample.error_factor;
  out.resamples = resampled.resamples;
  return out;
}

}  // namespace cryoscape::landscape
