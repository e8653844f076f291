#include "cryoscape/landscape/states.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cryoscape/latent/kmeans.hpp"
#include "cryoscape/torch.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kMostFitted = 20000, kResamples = 100;
constexpr EmLimits kResampleLimits{20, 1e-7};
constexpr int kMeansIterations = 100;
constexpr double kLeastPopulation = 1e-12;

/// Populations (states) of the mixture fitted again to each resample, one column per resample.
Eigen::MatrixXd bootstrap_populations(const Points& points, const StateSet& set, std::uint64_t seed) {
  Eigen::MatrixXd out = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(set.states.size()),
                                              static_cast<Eigen::Index>(kResamples));
  const auto prior = covariance_prior(points, set.mixture.size());
  parallel_for(kResamples, [&](std::size_t b) {
    Philox random(seed, 2 + b);
    Eigen::VectorXd counts = Eigen::VectorXd::Zero(points.cols());
    for (Eigen::Index i = 0; i < points.cols(); ++i)
      counts[static_cast<Eigen::Index>(random.below(static_cast<std::uint64_t>(points.cols())))] += 1;
    const auto fit = expectation_maximisation(points, counts, set.mixture, prior, kResampleLimits);
    auto own = out.col(static_cast<Eigen::Index>(b));
    for (std::size_t k = 0; k < fit.mixture.size(); ++k)
      own[static_cast<Eigen::Index>(set.state_of[k])] += fit.mixture[k].weight;
    own = own.cwiseMax(kLeastPopulation);
  });
  return out;
}

double deviation(const Eigen::ArrayXd& values) {
  return std::sqrt((values - values.mean()).square().sum() / static_cast<double>(values.size() - 1));
}

std::vector<Barrier> barriers(const Grouping& grouping, const std::vector<std::size_t>& rank) {
  std::vector<Barrier> out;
  for (const auto& pass : grouping.passes) {
    Barrier b{rank[pass.a], rank[pass.b],
              std::max(0.0, grouping.groups[pass.a].log_density - pass.log_density),
              std::max(0.0, grouping.groups[pass.b].log_density - pass.log_density)};
    if (b.a > b.b) std::swap(b.a, b.b), std::swap(b.from_a, b.from_b);
    out.push_back(b);
  }
  std::sort(out.begin(), out.end(),
            [](const Barrier& x, const Barrier& y) { return std::pair(x.a, x.b) < std::pair(y.a, y.b); });
  return out;
}

StateSet mixture_states(const Points& fitted, const LandscapeOptions& options, std::uint64_t seed) {
  StateSet set;
  if (options.states > 0) {
    set.mixture = exact_mixture(fitted, static_cast<std::size_t>(options.states), seed);
  } else {
    auto selection =
        select_mixture(fitted, options.criterion, static_cast<std::size_t>(options.max_states), seed);
    set.mixture = std::move(selection.mixture);
    set.selection = std::move(selection.scores);
  }
  const auto grouping =
      options.states > 0 ? separate_components(set.mixture) : group_components(set.mixture, options.barrier);
  set.components = set.mixture.size();
  set.continuous = options.states == 0 && grouping.groups.size() == 1 && set.mixture.size() > 1;

  std::vector<double> populations;
  for (const auto& group : grouping.groups) {
    double sum = 0;
    for (const auto k : group.components) sum += set.mixture[k].weight;
    populations.push_back(std::max(sum, kLeastPopulation));
  }
  const auto order = descending(populations);
  const MixtureDensity density(set.mixture);
  std::vector<std::size_t> rank(order.size());
  set.state_of.resize(set.mixture.size());
  for (std::size_t s = 0; s < order.size(); ++s) {
    const auto& group = grouping.groups[order[s]];
    State state;
    state.population = populations[order[s]];
    state.energy = s == 0 ? 0.0 : -std::log(state.population / populations[order[0]]);
    state.peak = group.peak;
    Eigen::Index ruling = 0;
    density.responsibilities(group.peak).maxCoeff(&ruling);
    state.precision = density.precision(static_cast<std::size_t>(ruling));
    set.states.push_back(std::move(state));
    rank[order[s]] = s;
    for (const auto k : group.components) set.state_of[k] = s;
  }
  set.barriers = barriers(grouping, rank);
  return set;
}

void add_mixture_errors(const Points& fitted, StateSet& set, std::uint64_t seed) {
  const auto resampled = bootstrap_populations(fitted, set, seed);
  const Eigen::ArrayXd first = resampled.row(0).transpose().array();
  for (std::size_t s = 0; s < set.states.size(); ++s) {
    const Eigen::ArrayXd own = resampled.row(static_cast<Eigen::Index>(s)).transpose().array();
    set.states[s].population_error = deviation(own);
    set.states[s].energy_error = deviation((own / first).log());
  }
}

/// Equal, round Gaussians: the one of largest share is the nearest.
Mixture around(const Points& centres) {
  Mixture out;
  for (Eigen::Index c = 0; c < centres.cols(); ++c)
    out.push_back({1 / static_cast<double>(centres.cols()), centres.col(c),
                   Eigen::MatrixXd::Identity(centres.rows(), centres.rows())});
  return out;
}

StateSet kmeans_states(const Points& points, Points fitted, std::size_t count, std::uint64_t seed) {
  const auto tensor = torch::from_blob(fitted.data(), {fitted.cols(), fitted.rows()}, torch::kDouble);
  auto generator = torch::make_generator<torch::CPUGeneratorImpl>(seed);
  const auto clusters = latent::kmeans(tensor, static_cast<std::int64_t>(count), kMeansIterations, generator)
                            .centres.contiguous();
  const Points centres =
      Eigen::Map<const Points>(clusters.data_ptr<double>(), points.rows(), static_cast<Eigen::Index>(count));
  StateSet set;
  set.mixture = around(centres);
  set.state_of.resize(count);
  std::iota(set.state_of.begin(), set.state_of.end(), std::size_t{0});
  set.states.resize(count);
  std::vector<double> counts(count, 0.0);
  for (const int s : assign_states(set, points)) counts[static_cast<std::size_t>(s - 1)] += 1;
  const auto order = descending(counts);
  const double n = static_cast<double>(points.cols()), largest = counts[order[0]];
  set.states.clear();
  for (const auto c : order) {
    set.state_of[c] = std::min(set.states.size(), count - 1);
    if (counts[c] == 0) continue;
    State state;
    state.population = counts[c] / n;
    state.energy = c == order[0] ? 0.0 : -std::log(counts[c] / largest);
    state.peak = centres.col(static_cast<Eigen::Index>(c));
    state.precision = Eigen::MatrixXd::Identity(points.rows(), points.rows());
    set.states.push_back(std::move(state));
  }
  return set;
}

void add_multinomial_errors(StateSet& set, double n) {
  for (auto& state : set.states) {
    state.population_error = std::sqrt(state.population * (1 - state.population) / n);
    // The logarithm of a ratio of two multinomial counts.
    if (&state != &set.states.front())
      state.energy_error = std::sqrt(1 / (state.population * n) + 1 / (set.states.front().population * n));
  }
}

Points fitted_points(const Points& points, std::uint64_t seed) {
  return points(Eigen::all, random_subset(static_cast<std::size_t>(points.cols()), kMostFitted, seed));
}

}  // namespace

std::vector<std::size_t> descending(const std::vector<double>& populations) {
  std::vector<std::size_t> order(populations.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return populations[a] > populations[b]; });
  return order;
}

void reorder(StateSet& set, const std::vector<std::size_t>& order) {
  std::vector<std::size_t> rank(order.size());
  std::vector<State> states;
  for (std::size_t s = 0; s < order.size(); ++s) {
    rank[order[s]] = s;
    states.push_back(std::move(set.states[order[s]]));
  }
  set.states = std::move(states);
  for (auto& k : set.state_of) k = rank[k];
  for (auto& s : set.assignment) s = 1 + static_cast<int>(rank[static_cast<std::size_t>(s - 1)]);
  for (auto& b : set.barriers) {
    b.a = rank[b.a], b.b = rank[b.b];
    if (b.a > b.b) std::swap(b.a, b.b), std::swap(b.from_a, b.from_b);
  }
}

void count_members(StateSet& set) {
  for (auto& state : set.states) state.particles = 0;
  for (const int s : set.assignment) ++set.states[static_cast<std::size_t>(s - 1)].particles;
}

std::vector<std::size_t> random_subset(std::size_t count, std::size_t most, std::uint64_t seed) {
  std::vector<std::size_t> all(count);
  std::iota(all.begin(), all.end(), std::size_t{0});
  if (count <= most) return all;
  Philox random(seed);
  for (std::size_t i = 0; i < most; ++i) std::swap(all[i], all[i + random.below(count - i)]);
  all.resize(most);
  std::sort(all.begin(), all.end());
  return all;
}

StateSet separate_states(const Points& points, const LandscapeOptions& options, std::uint64_t seed) {
  const bool kmeans = options.clustering == "kmeans";
  if (kmeans && options.states == 0)
    throw UsageError("--clustering kmeans needs a number of clusters: give --states");
  if (points.cols() == 0) fail("no particle has latents: there is nothing to cluster");
  if (points.cols() < options.states)
    fail("--states is {}, but there are only {} usable particles", options.states, points.cols());
  const auto fitted = fitted_points(points, seed);
  auto set = kmeans ? kmeans_states(points, fitted, static_cast<std::size_t>(options.states), seed)
                    : mixture_states(fitted, options, seed);
  set.assignment = assign_states(set, points);
  count_members(set);
  return set;
}

StateSet find_states(const Points& points, const LandscapeOptions& options, std::uint64_t seed) {
  auto set = separate_states(points, options, seed);
  if (options.clustering == "kmeans")
    add_multinomial_errors(set, static_cast<double>(points.cols()));
  else
    add_mixture_errors(fitted_points(points, seed), set, seed);
  return set;
}

std::vector<int> assign_states(const StateSet& set, const Points& points) {
  const MixtureDensity density(set.mixture);
  std::vector<int> assignment(static_cast<std::size_t>(points.cols()));
  parallel_for(assignment.size(), [&](std::size_t i) {
    const auto r = density.responsibilities(points.col(static_cast<Eigen::Index>(i)));
    std::vector<double> share(set.states.size(), 0.0);
    for (std::size_t k = 0; k < set.state_of.size(); ++k)
      share[set.state_of[k]] += r[static_cast<Eigen::Index>(k)];
    assignment[i] = 1 + static_cast<int>(std::max_element(share.begin(), share.end()) - share.begin());
  });
  return assignment;
}

}  // namespace cryoscape::landscape
