#include "cryoscape/report/path_scores.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "cryoscape/inference/free_energy.hpp"
#include "cryoscape/inference/likelihood_table.hpp"
#include "cryoscape/report/structure_scores.hpp"

namespace cryoscape::report {
namespace {

constexpr double kNormal = 1.4826;  ///< standard deviation over median absolute deviation of a normal
constexpr std::size_t kOptimal = 2000;
constexpr std::size_t kOptimalNodes = 51;
constexpr double kAtTop = 0.05;
constexpr std::ptrdiff_t kLeastAtTop = 5;

/// Particles of a path table that the truth knows a position of.
struct Known {
  inference::LikelihoodTable table;
  std::vector<double> position, bound;
  std::vector<int> state;
};

Known known_rows(const inference::LikelihoodTable& table, const TruthData& truth,
                 const ParticleTruth& particles) {
  Known out;
  out.table.nodes = table.nodes;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto row = table.particle[i];
    if (row >= particles.size() || particles.junk[row]) continue;
    out.table.particle.push_back(row);
    const auto values = table.values_of(i);
    out.table.value.insert(out.table.value.end(), values.begin(), values.end());
    if (!table.slope.empty()) {
      const auto slopes = table.slopes_of(i);
      out.table.slope.insert(out.table.slope.end(), slopes.begin(), slopes.end());
    }
    out.position.push_back(truth.scene.path().position_of_model(particles.model[row]));
    out.bound.push_back(particles.bound[row]);
    out.state.push_back(particles.state[row]);
  }
  return out;
}

/// exp(−F) at the grid's points, F linear between those of the record, as a density.
std::vector<double> density_on(const PathEnergyRecord& record, const inference::PopulationGrid::Axis& axis) {
  std::vector<double> out;
  const auto& x = record.grid;
  for (std::size_t k = 0; k < axis.nodes; ++k) {
    const double s = std::clamp(axis.at(k), x.front(), x.back());
    const auto above = std::clamp<std::ptrdiff_t>(std::upper_bound(x.begin(), x.end(), s) - x.begin(), 1,
                                                  static_cast<std::ptrdiff_t>(x.size()) - 1);
    const auto i = static_cast<std::size_t>(above);
    const double u = (s - x[i - 1]) / (x[i] - x[i - 1]);
    out.push_back(std::exp(-((1 - u) * record.energy[i - 1] + u * record.energy[i])));
  }
  double mass = 0;
  for (std::size_t k = 0; k < out.size(); ++k) mass += out[k] * (k == 0 || k + 1 == out.size() ? 0.5 : 1);
  const double spacing = axis.length() / static_cast<double>(axis.nodes - 1);
  for (double& p : out) p /= mass * spacing;
  return out;
}

/// Likelihoods of the true path's structures for every `step`-th of the known particles.
inference::PopulationTable true_table(training::Run& run, const TruthData& truth, const Known& known,
                                      std::size_t step) {
  const auto& path = truth.scene.path();
  const auto centre =
      simulation::image_centre(truth.scene.coordinates(1), run.data.grid.box * run.data.grid.pixel_size)
          .position;
  std::vector<float> structures, tangents, nodes;
  for (std::size_t k = 0; k < kOptimalNodes; ++k) {
    const double s = static_cast<double>(k) / (kOptimalNodes - 1);
    auto x = path.at(s);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] -= static_cast<float>(centre[i % 3]);
    const auto t = path.tangent(s);
    structures.insert(structures.end(), x.begin(), x.end());
    tangents.insert(tangents.end(), t.begin(), t.end());
    nodes.push_back(static_cast<float>(s));
  }
  std::vector<std::uint32_t> particles;
  for (std::size_t i = 0; i < known.table.size(); i += step) particles.push_back(known.table.particle[i]);
  return inference::population_table(
      inference::tabulate(*run.model, run.data, structures, tangents, particles), nodes);
}

double median_error(std::span<const double> estimate, std::span<const double> truth, std::size_t step) {
  std::vector<double> errors;
  for (std::size_t i = 0; i < estimate.size(); ++i) errors.push_back(std::abs(estimate[i] - truth[i * step]));
  return median(std::move(errors)).value_or(std::nan(""));
}

/// Every `step`-th value.
std::vector<double> every(const std::vector<double>& values, std::size_t step) {
  std::vector<double> out;
  for (std::size_t i = 0; i < values.size(); i += step) out.push_back(values[i]);
  return out;
}

std::optional<double> posterior_ratio(training::Run& run, const TruthData& truth, const Known& known,
                                      std::span<const double> means, std::span<const double> true_density) {
  const std::size_t step = (known.position.size() + kOptimal - 1) / kOptimal;
  const auto best = inference::posterior_means(true_table(run, truth, known, step), true_density);
  const double optimal = median_error(best, known.position, step);
  const double own = median_error(every({means.begin(), means.end()}, step), known.position, step);
  return optimal > 0 ? std::optional(own / optimal) : std::nullopt;
}

}  // namespace

std::optional<double> ml_error_over_bound(std::span<const double> estimate, std::span<const double> truth,
                                          std::span<const double> bound) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < estimate.size(); ++i)
    if (bound[i] > 0) ratios.push_back(kNormal * std::abs(estimate[i] - truth[i]) / bound[i]);
  return median(std::move(ratios));
}

std::optional<double> barrier_error(std::span<const double> density, std::span<const double> truth,
                                    const inference::PopulationGrid::Axis& axis,
                                    std::span<const double> positions, std::span<const int> states) {
  std::map<int, std::vector<double>> of_state;
  for (std::size_t i = 0; i < positions.size(); ++i)
    if (states[i] > 0) of_state[states[i]].push_back(positions[i]);
  std::vector<double> centres;
  for (auto& [state, own] : of_state) centres.push_back(*median(std::move(own)));
  std::sort(centres.begin(), centres.end());
  const auto found = inference::free_energy(density), expected = inference::free_energy(truth);
  const auto node = [&](double s) {
    const double k = std::round((s - axis.first) / axis.length() * static_cast<double>(axis.nodes - 1));
    return static_cast<std::ptrdiff_t>(std::clamp(k, 0.0, static_cast<double>(axis.nodes - 1)));
  };
  std::optional<double> worst;
  for (std::size_t k = 0; k + 1 < centres.size(); ++k) {
    const auto from = node(centres[k]), to = node(centres[k + 1]) + 1;
    const auto top = std::max_element(expected.begin() + from, expected.begin() + to);
    const double at = axis.at(static_cast<std::size_t>(top - expected.begin()));
    const auto there = std::count_if(positions.begin(), positions.end(),
                                     [&](double s) { return std::abs(s - at) <= kAtTop; });
    if (there < kLeastAtTop) continue;
    const double height = *std::max_element(found.begin() + from, found.begin() + to);
    worst = std::max(worst.value_or(0), std::abs(height - *top));
  }
  return worst;
}

PathScores score_path(training::Run& run, const RunRecord& record, const TruthData& truth,
                      const ParticleTruth& particles) {
  const auto folder = record.folder / "likelihood";
  PathScores scores;
  if (truth.scene.models() < 2 || !std::filesystem::exists(folder / "path_table.npy")) return scores;
  const auto path = inference::read_path_table(folder);
  const auto known = known_rows(path.table, truth, particles);
  if (known.position.empty()) return scores;
  const auto table = inference::population_table(known.table, path.node);
  scores.ml_error_over_bound = ml_error_over_bound(inference::row_maxima(table), known.position, known.bound);
  if (!record.path_energy) return scores;
  const inference::PopulationGrid::Axis axis{0, 1, 101};
  const auto expected = inference::fit_population(inference::exact_positions(known.position, axis)).density;
  const auto found = density_on(*record.path_energy, axis);
  scores.free_energy_rms = inference::free_energy_rms(found, expected);
  scores.barrier_error = barrier_error(found, expected, axis, known.position, known.state);
  const auto means =
      inference::posterior_means(table, density_on(*record.path_energy, table.grid.axes.front()));
  scores.posterior_error_over_optimal = posterior_ratio(run, truth, known, means, expected);
  return scores;
}

}  // namespace cryoscape::report
