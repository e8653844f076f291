#include "cryoscape/inference/refit_bootstrap.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"

namespace cryoscape::inference {
namespace {

constexpr EmLimits kWarmLimits{60, 1e-7};
constexpr std::size_t kDrawsOfBasins = 20000;
constexpr int kPopulationSteps = 2000;
constexpr double kPopulationTolerance = 1e-7;
constexpr std::uint64_t kResampleStream = std::uint64_t{1} << 36;

int poisson_of_mean_one(double u) {
  int n = 0;
  for (double p = std::exp(-1.0); u >= p && n < 20; p /= n) u -= p, ++n;
  return n;
}

/// p(x_i | b) but for a factor of each particle, (P, basins): posterior shares over what the basins have in
/// the prior.
std::vector<std::vector<double>> basin_likelihoods(const RefitDraws& draws, const std::vector<double>& shares,
                                                   const std::vector<int>& basin,
                                                   const std::vector<double>& prior) {
  std::vector<std::vector<double>> out;
  for (const auto& r : draws.ranges) {
    std::vector<double> row(prior.size());
    for (auto m = r.first; m < r.last; ++m) row.at(static_cast<std::size_t>(basin[m])) += shares[m];
    for (std::size_t b = 0; b < row.size(); ++b) row[b] = prior[b] > 0 ? row[b] / prior[b] : 0;
    out.push_back(std::move(row));
  }
  return out;
}

std::vector<double> likeliest_populations(const std::vector<std::vector<double>>& likelihoods,
                                          const std::vector<double>& weights, std::vector<double> start) {
  auto p = std::move(start);
  for (int step = 0; step < kPopulationSteps; ++step) {
    std::vector<double> next(p.size());
    double total = 0;
    for (std::size_t i = 0; i < likelihoods.size(); ++i) {
      const double w = weights.empty() ? 1 : weights[i];
      double evidence = 0;
      for (std::size_t b = 0; b < p.size(); ++b) evidence += p[b] * likelihoods[i][b];
      if (w <= 0 || evidence <= 0) continue;
      total += w;
      for (std::size_t b = 0; b < p.size(); ++b) next[b] += w * p[b] * likelihoods[i][b] / evidence;
    }
    double change = 0;
    for (std::size_t b = 0; b < p.size(); ++b) {
      next[b] /= total;
      change = std::max(change, std::abs(next[b] - p[b]));
    }
    p = std::move(next);
    if (change < kPopulationTolerance) break;
  }
  return p;
}

}  // namespace

std::vector<double> standard_errors(const BootstrapPopulations& populations) {
  const auto n = static_cast<double>(populations.resamples.size());
  std::vector<double> out;
  for (std::size_t b = 0; b < populations.fitted.size(); ++b) {
    double sum = 0, squares = 0;
    for (const auto& r : populations.resamples) sum += r[b], squares += r[b] * r[b];
    out.push_back(n > 1 ? std::sqrt(std::max(0.0, (squares - sum * sum / n) / (n - 1))) : 0);
  }
  return out;
}

std::vector<double> resample_weights(const std::vector<EntryRange>& ranges,
                                     const std::vector<std::uint32_t>& groups, std::uint64_t seed,
                                     int resample) {
  std::vector<double> out;
  for (const auto& r : ranges) {
    const std::uint64_t group = groups.empty() ? r.particle : groups.at(r.particle);
    const auto stream = kResampleStream * (static_cast<std::uint64_t>(resample) + 1) + group;
    out.push_back(poisson_of_mean_one(Philox(seed, stream).uniform()));
  }
  return out;
}

std::vector<GaussianMixture> bootstrap_mixtures(const Expansions& e, const GaussianMixture& fitted,
                                                const std::vector<std::uint32_t>& groups, int resamples,
                                                std::uint64_t seed) {
  const auto ranges = entry_ranges(e.particle);
  std::vector<GaussianMixture> out;
  for (int b = 0; b < resamples; ++b)
    out.push_back(
        deconvolve_quickly(e, resample_weights(ranges, groups, seed, b), fitted, kWarmLimits).mixture);
  return out;
}

std::vector<double> populations_of(const GaussianMixture& mixture, std::size_t basins,
                                   const BasinsOf& basins_of) {
  // Every component has the same noise in all mixtures, and is weighted instead of chosen.
  const auto ready = prepared(mixture);
  const std::size_t each = kDrawsOfBasins / mixture.size();
  const auto d = static_cast<std::size_t>(mixture.at(0).mean.size());
  std::vector<float> latents;
  latents.reserve(each * mixture.size() * d);
  for (std::size_t k = 0; k < mixture.size(); ++k) {
    auto alone = ready[k];
    alone.log_weight = 0;
    Philox random(1, k);
    for (std::size_t j = 0; j < each; ++j) {
      const auto z = draw({alone}, random);
      for (const double x : z) latents.push_back(static_cast<float>(x));
    }
  }
  const auto basin = basins_of(latents);
  std::vector<double> out(basins);
  for (std::size_t m = 0; m < basin.size(); ++m)
    out.at(static_cast<std::size_t>(basin[m])) += mixture[m / each].weight / static_cast<double>(each);
  return out;
}

BootstrapPopulations bootstrap_populations(const RefitDraws& draws, const std::vector<double>& energies,
                                           std::size_t basins, const BasinsOf& basins_of,
                                           const std::vector<double>& prior_populations,
                                           const std::vector<std::uint32_t>& groups, int resamples,
                                           std::uint64_t seed) {
  if (prior_populations.size() != basins)
    fail("{} basins, but {} populations of them", basins, prior_populations.size());
  const auto likelihoods =
      basin_likelihoods(draws, posterior_shares(draws, energies), basins_of(draws.latent), prior_populations);
  BootstrapPopulations out;
  out.fitted = likeliest_populations(likelihoods, {}, prior_populations);
  for (int b = 0; b < resamples; ++b) {
    throw_if_interrupted();
    out.resamples.push_back(
        likeliest_populations(likelihoods, resample_weights(draws.ranges, groups, seed, b), out.fitted));
  }
  return out;
}

}  // namespace cryoscape::inference
