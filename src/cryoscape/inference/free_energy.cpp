#include "cryoscape/inference/free_energy.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/inference/basins.hpp"

namespace cryoscape::inference {
namespace {

constexpr double kMostResamples = 0.5;  // share of resamples that must have a state
constexpr double kFlat = 0.7;           // share of the range within 1 kT of the minimum
constexpr double kScored = 0.01;        // of the largest true density

std::vector<double> position_of(const PopulationGrid& grid, std::size_t node) {
  if (grid.axes.size() == 1) return {grid.axes[0].at(node)};
  const auto columns = grid.axes[1].nodes;
  return {grid.axes[0].at(node / columns), grid.axes[1].at(node % columns)};
}

/// −ln p on one scale for all fits of a table: 0 at the minimum of the whole sample's.
std::vector<double> energy_above(const PopulationFit& fit, double most) {
  auto f = free_energy(fit.density);
  const double offset = std::log(most / *std::max_element(fit.density.begin(), fit.density.end()));
  for (double& v : f) v += offset;
  return f;
}

void add_bars(const PopulationBootstrap& bootstrap, FreeEnergy& out) {
  const double most = *std::max_element(out.fit.density.begin(), out.fit.density.end());
  std::vector<std::vector<double>> resampled;
  for (const auto& fit : bootstrap.resampled) resampled.push_back(energy_above(fit, most));
  for (std::size_t k = 0; k < out.energy.size(); ++k) {
    std::vector<double> values;
    for (const auto& f : resampled) values.push_back(f[k]);
    const auto e = estimate_energy(out.energy[k], std::move(values));
    out.energy_error.push_back(e.error);
    out.energy_low.push_back(e.low), out.energy_high.push_back(e.high);
  }
}

/// Which of the given basins hold the minimum of a basin of a fit's own.
std::vector<bool> basins_in(const PopulationFit& fit, const Basins& basins,
                            std::span<const std::size_t> nodes, double depth) {
  std::vector<bool> here(basins.size(), false);
  for (const auto minimum : find_basins(free_energy(fit.density), nodes, depth).minimum)
    here[basins.label[minimum]] = true;
  return here;
}

/// Share of the resamples that have each basin; 0 for those that the plain fit lacks.
std::vector<double> presence(const PopulationBootstrap& bootstrap, const Basins& basins,
                             std::span<const std::size_t> nodes, double depth) {
  std::vector<double> found(basins.size(), bootstrap.resampled.empty() ? 1.0 : 0.0);
  for (const auto& fit : bootstrap.resampled) {
    const auto here = basins_in(fit, basins, nodes, depth);
    for (std::size_t k = 0; k < here.size(); ++k)
      found[k] += here[k] ? 1 / static_cast<double>(bootstrap.resampled.size()) : 0;
  }
  const auto plain = basins_in(bootstrap.plain, basins, nodes, depth);
  for (std::size_t k = 0; k < found.size(); ++k)
    if (!plain[k]) found[k] = 0;
  return found;
}

/// The basins that most resamples have: the rarest is given up until all are.
Basins kept_basins(const PopulationBootstrap& bootstrap, const FreeEnergy& energy, double depth) {
  const auto nodes = energy.grid.nodes();
  auto basins = find_basins(energy.energy, nodes, depth);
  while (basins.size() > 1) {
    const auto found = presence(bootstrap, basins, nodes, depth);
    const auto rarest = std::min_element(found.begin(), found.end());
    if (*rarest > kMostResamples) break;
    auto seeds = basins.minimum;
    seeds.erase(seeds.begin() + (rarest - found.begin()));
    basins = flood_from(energy.energy, nodes, seeds);
  }
  return basins;
}

/// What one fit says of given states: populations, and F at minima and barriers.
struct Levels {
  std::vector<double> population, minimum;
  std::vector<double> barrier;  ///< above the minimum of `from`; NaN where two states do not touch
};

Levels levels_of(const PopulationFit& fit, std::span<const std::size_t> nodes, const Basins& states) {
  const auto f = free_energy(fit.density);
  const auto own = flood_from(f, nodes, states.minimum);
  Levels out{std::vector<double>(states.size(), 0.0), std::vector<double>(states.size(), INFINITY), {}};
  for (std::size_t k = 0; k < f.size(); ++k) {
    out.population[own.label[k]] += fit.share[k];
    out.minimum[own.label[k]] = std::min(out.minimum[own.label[k]], f[k]);
  }
  for (const auto& saddle : states.saddles) {
    const auto same = std::find_if(own.saddles.begin(), own.saddles.end(), [&](const Saddle& s) {
      return std::minmax(s.from, s.to) == std::minmax(saddle.from, saddle.to);
    });
    out.barrier.push_back(same == own.saddles.end() ? std::nan("")
                                                    : f[same->node] - out.minimum[saddle.from]);
  }
  return out;
}

/// One of the levels in all resamples, without those that lack it.
template <class Get>
std::vector<double> over(const std::vector<Levels>& resampled, Get get) {
  std::vector<double> out;
  for (const auto& levels : resampled)
    if (const double v = get(levels); std::isfinite(v)) out.push_back(v);
  return out;
}

void add_states(const PopulationBootstrap& bootstrap, double depth, FreeEnergy& out) {
  const auto nodes = out.grid.nodes();
  const auto basins = kept_basins(bootstrap, out, depth);
  double flat = 0, all = 0;
  for (std::size_t k = 0; k < out.energy.size(); ++k) {
    if (!(out.fit.density[k] > 0)) continue;
    const double cell = out.fit.share[k] / out.fit.density[k];
    all += cell, flat += out.energy[k] <= 1 ? cell : 0;
  }
  out.continuous = basins.size() == 1 && flat >= kFlat * all;
  if (out.continuous) return;
  const auto whole = levels_of(out.fit, nodes, basins);
  std::vector<Levels> resampled;
  for (const auto& fit : bootstrap.resampled) resampled.push_back(levels_of(fit, nodes, basins));
  const auto found = presence(bootstrap, basins, nodes, depth);
  for (std::size_t k = 0; k < basins.size(); ++k)
    out.states.push_back(
        {estimate(whole.population[k], over(resampled, [&](const Levels& l) { return l.population[k]; })),
         out.energy[basins.minimum[k]], position_of(out.grid, basins.minimum[k]), found[k]});
  for (std::size_t k = 0; k < basins.saddles.size(); ++k) {
    const auto& saddle = basins.saddles[k];
    out.barriers.push_back(
        {saddle.from, saddle.to,
         estimate_energy(whole.barrier[k], over(resampled, [&](const Levels& l) { return l.barrier[k]; })),
         position_of(out.grid, saddle.node)});
  }
  out.state_of = basins.label;
}

}  // namespace

FreeEnergy bootstrap(const PopulationTable& table, const FreeEnergyOptions& options) {
  const auto found = bootstrap_population(table, options.population, options.resamples, options.seed);
  FreeEnergy out;
  out.grid = table.grid, out.fit = found.fit;
  out.energy = free_energy(found.fit.density);
  add_bars(found, out);
  add_states(found, options.least_depth, out);
  return out;
}

double free_energy_rms(const std::vector<double>& density, const std::vector<double>& truth) {
  const double least = kScored * *std::max_element(truth.begin(), truth.end());
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t k = 0; k < truth.size(); ++k)
    if (truth[k] > least) {
      const double d = std::log(std::max(density[k], 1e-300) / truth[k]);
      sum += d * d, ++count;
    }
  return std::sqrt(sum / static_cast<double>(std::max<std::size_t>(1, count)));
}

}  // namespace cryoscape::inference
