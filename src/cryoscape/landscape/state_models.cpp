#include "cryoscape/landscape/state_models.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kMostAveraged = 100, kMostFluctuating = 500;
constexpr std::size_t kSeriesModels = 10, kFewestBinned = 5, kMostBinned = 50;
constexpr double kFirstPercentile = 0.02, kLastPercentile = 0.98;

/// Mean of the structures of particles, superposed on the space's mean.
std::vector<float> average(const Conformations& conformations, const StructureSpace& space,
                           std::span<const std::size_t> particles) {
  auto structures = conformations.decode(particles);
  superpose_all(structures, space.mean);
  return mean_structure(structures, conformations.length());
}

/// Columns of the cloud in a state; all columns if there are none.
std::vector<std::size_t> members_of(const Cloud& cloud, const StateSet& states, std::size_t state) {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < states.assignment.size(); ++i)
    if (states.assignment[i] == static_cast<int>(state) + 1) columns.push_back(i);
  if (columns.empty()) {
    columns.resize(cloud.particles.size());
    std::iota(columns.begin(), columns.end(), std::size_t{0});
  }
  return columns;
}

/// The `count` columns nearest to a state's peak.
std::vector<std::size_t> nearest(const Cloud& cloud, const State& state, std::vector<std::size_t> columns,
                                 std::size_t count) {
  std::vector<double> distance(cloud.particles.size());
  for (const auto c : columns) {
    const Eigen::VectorXd x = cloud.points.col(static_cast<Eigen::Index>(c)) - state.peak;
    distance[c] = x.dot(state.precision * x);
  }
  std::partial_sort(columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(count), columns.end(),
                    [&](auto a, auto b) { return distance[a] < distance[b]; });
  columns.resize(count);
  return columns;
}

std::vector<std::size_t> particles_of(const Cloud& cloud, std::span<const std::size_t> columns) {
  std::vector<std::size_t> particles;
  for (const auto c : columns) particles.push_back(cloud.particles[c]);
  return particles;
}

}  // namespace

Model state_model(const Conformations& conformations, const StructureSpace& space, const Cloud& cloud,
                  const StateSet& states, std::size_t state) {
  const auto members = members_of(cloud, states, state);
  const auto count = std::min(kMostAveraged, (members.size() + 1) / 2);
  Model model;
  model.positions = average(conformations, space,
                            particles_of(cloud, nearest(cloud, states.states[state], members, count)));

  std::vector<std::size_t> sample;
  for (const auto i : random_subset(members.size(), kMostFluctuating, state)) sample.push_back(members[i]);
  auto structures = conformations.decode(particles_of(cloud, sample));
  superpose_all(structures, model.positions);
  const auto length = conformations.length();
  std::vector<double> square(length / 3, 0.0);
  for (std::size_t i = 0; i < structures.size(); ++i)
    square[i % length / 3] += std::pow(structures[i] - model.positions[i % length], 2);
  for (const double s : square)
    model.b_factors.push_back(static_cast<float>(8 * std::numbers::pi * std::numbers::pi / 3 * s /
                                                 static_cast<double>(sample.size())));
  return model;
}

std::vector<std::vector<float>> component_series(const Conformations& conformations,
                                                 const StructureSpace& space, const Cloud& cloud,
                                                 std::size_t component) {
  const std::size_t count = cloud.particles.size();
  const Eigen::VectorXd values = cloud.points.row(static_cast<Eigen::Index>(component)).transpose();
  const auto value = [&](std::size_t column) { return values[static_cast<Eigen::Index>(column)]; };
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return value(a) < value(b); });
  const auto percentile = [&](double q) {
    return value(order[static_cast<std::size_t>(q * static_cast<double>(count - 1))]);
  };
  const double first = percentile(kFirstPercentile), last = percentile(kLastPercentile);
  const auto window = std::min(std::clamp(count / 100, kFewestBinned, kMostBinned), count);
  std::vector<std::vector<float>> series;
  for (std::size_t m = 0; m < kSeriesModels; ++m) {
    const double at = first + (last - first) * static_cast<double>(m) / (kSeriesModels - 1);
    // The nearest in sorted order are neighbours: shift the window while its far end is farther than what
    // follows it.
    std::size_t begin = 0;
    while (begin + window < count && value(order[begin + window]) - at < at - value(order[begin])) ++begin;
    series.push_back(
        average(conformations, space, particles_of(cloud, std::span(order).subspan(begin, window))));
  }
  return series;
}

std::vector<float> atom_b_factors(const io::AtomicModel& reference, const structure::BeadModel& beads,
                                  std::span<const float> bead_b_factors) {
  const float all = std::accumulate(bead_b_factors.begin(), bead_b_factors.end(), 0.0f) /
                    static_cast<float>(bead_b_factors.size());
  const auto& atoms = reference.atoms;
  std::vector<float> out(atoms.size(), all);
  std::size_t bead = 0;
  for (std::size_t begin = 0; begin < atoms.size();) {
    std::size_t end = begin + 1;
    while (end < atoms.size() && io::same_residue(atoms[end - 1], atoms[end])) ++end;
    // Beads come in file order, so the residue's beads, if any, are the next ones.
    float sum = 0, own = 0;
    for (; bead < beads.size() && io::same_residue(beads.records.atoms[bead], atoms[begin]); ++bead)
      sum += bead_b_factors[bead], own += 1;
    if (own > 0)
      std::fill(out.begin() + static_cast<std::ptrdiff_t>(begin),
                out.begin() + static_cast<std::ptrdiff_t>(end), sum / own);
    begin = end;
  }
  return out;
}

}  // namespace cryoscape::landscape
