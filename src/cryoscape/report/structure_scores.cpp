#include "cryoscape/report/structure_scores.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/progress.hpp"

namespace cryoscape::report {
namespace {

constexpr std::size_t kChunks = 32;       ///< partial sums of a mean
constexpr int kMostRounds = 20;           ///< of superposing and averaging
constexpr double kConverged = 1e-4;       ///< Å
constexpr std::size_t kBatch = 256;       ///< structures decoded at a time
constexpr double kLeastVariance = 1e-12;  ///< of positions in [0, 1]

/// One round: mean of all structures superposed on `onto`.
std::vector<float> average_on(const simulation::Scene& scene, std::span<const double> models,
                              std::span<const float> onto) {
  std::vector<std::vector<double>> sums(kChunks, std::vector<double>(onto.size(), 0.0));
  parallel_for(kChunks, [&](std::size_t chunk) {
    const auto begin = chunk * models.size() / kChunks, end = (chunk + 1) * models.size() / kChunks;
    for (auto i = begin; i < end; ++i) {
      const auto x = scene.coordinates(models[i]);
      const auto moved = geometry::transformed(geometry::superpose(x, onto), x);
      for (std::size_t k = 0; k < moved.size(); ++k) sums[chunk][k] += moved[k];
    }
  });
  std::vector<float> out(onto.size());
  for (std::size_t k = 0; k < out.size(); ++k) {
    double sum = 0;
    for (const auto& part : sums) sum += part[k];
    out[k] = static_cast<float>(sum / static_cast<double>(models.size()));
  }
  return out;
}

/// Values of `all` in the rows that belong to each state.
std::map<int, std::vector<double>> by_state(std::span<const double> all, std::span<const int> states) {
  std::map<int, std::vector<double>> out;
  for (std::size_t i = 0; i < all.size(); ++i) out[states[i]].push_back(all[i]);
  return out;
}

/// Pearson correlation; nothing where x does not vary.
std::optional<double> correlation(const std::vector<double>& x, const std::vector<double>& y) {
  const double mean_x = *mean(x), mean_y = *mean(y);
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double a = x[i] - mean_x, b = y[i] - mean_y;
    xx += a * a, yy += b * b, xy += a * b;
  }
  const double least = kLeastVariance * static_cast<double>(x.size());
  if (xx <= least) return std::nullopt;
  return yy <= least ? 0.0 : xy / std::sqrt(xx * yy);
}

}  // namespace

std::optional<double> median(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

std::optional<double> mean(std::span<const double> values) {
  if (values.empty()) return std::nullopt;
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

std::vector<float> mean_structure(const simulation::Scene& scene, std::span<const double> models) {
  auto out = scene.coordinates(*median({models.begin(), models.end()}));
  for (int round = 0; round < kMostRounds; ++round) {
    throw_if_interrupted();
    auto next = average_on(scene, models, out);
    const double change = geometry::rmsd(next, out);
    out = std::move(next);
    if (change < kConverged) break;
  }
  return out;
}

std::vector<double> distances_from(const simulation::Scene& scene, std::span<const double> models,
                                   std::span<const float> structure) {
  std::vector<double> out(models.size());
  parallel_for(models.size(), [&](std::size_t i) {
    out[i] = geometry::superposed_rmsd(scene.coordinates(models[i]), structure);
  });
  return out;
}

std::vector<TrueState> true_states(const simulation::Scene& scene, std::span<const double> models,
                                   std::span<const int> states) {
  std::vector<TrueState> out;
  for (const auto& [state, own] : by_state(models, states))
    if (state > 0)
      out.push_back({state, static_cast<double>(own.size()) / static_cast<double>(models.size()),
                     mean_structure(scene, own)});
  return out;
}

std::vector<double> distances_from_states(const simulation::Scene& scene, std::span<const double> models,
                                          std::span<const int> states, std::span<const TrueState> truth) {
  std::vector<double> out;
  const auto groups = by_state(models, states);
  for (const auto& state : truth)
    if (const auto own = groups.find(state.id); own != groups.end()) {
      const auto distances = distances_from(scene, own->second, state.model);
      out.insert(out.end(), distances.begin(), distances.end());
    }
  return out;
}

StructureErrors compare_structures(const simulation::Scene& scene, std::span<const double> models,
                                   const Decode& decode) {
  StructureErrors out;
  out.rmsd.resize(models.size());
  if (scene.models() > 1) out.position.resize(models.size());
  const std::size_t size = 3 * scene.amplitudes().size();
  Progress progress("comparing", models.size(), "structures");
  for (std::size_t begin = 0; begin < models.size(); begin += kBatch) {
    throw_if_interrupted();
    const auto end = std::min(begin + kBatch, models.size());
    const auto decoded = decode(begin, end);
    parallel_for(end - begin, [&](std::size_t i) {
      const auto x = std::span(decoded).subspan(i * size, size);
      out.rmsd[begin + i] = geometry::superposed_rmsd(x, scene.coordinates(models[begin + i]));
      if (!out.position.empty()) out.position[begin + i] = scene.path().nearest(x).s;
    });
    progress.advance(end - begin);
  }
  return out;
}

std::optional<double> path_error(const simulation::Scene& scene, std::span<const double> models,
                                 std::span<const double> positions) {
  std::vector<double> errors;
  for (std::size_t i = 0; i < positions.size(); ++i)
    errors.push_back(std::abs(positions[i] - scene.path().position_of_model(models[i])));
  return median(std::move(errors));
}

std::optional<double> correlation_within_states(std::span<const double> truth,
                                                std::span<const double> estimate,
                                                std::span<const int> states) {
  const bool any = std::any_of(states.begin(), states.end(), [](int s) { return s > 0; });
  const auto x = by_state(truth, states), y = by_state(estimate, states);
  double sum = 0, weight = 0;
  for (const auto& [state, values] : x) {
    if ((any && state == 0) || values.size() < 3) continue;
    if (const auto r = correlation(values, y.at(state))) {
      sum += *r * static_cast<double>(values.size());
      weight += static_cast<double>(values.size());
    }
  }
  if (weight == 0) return std::nullopt;
  return sum / weight;
}

}  // namespace cryoscape::report
