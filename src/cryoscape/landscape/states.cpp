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

/// Populations (groups) of the mixture fitted again to each resample, one column per resample.
Eigen::MatrixXd bootstrap_populations(const Points& points, const Mixture& mixture,
                                      const std::vector<Group>& groups, std::uint64_t seed) {
  Eigen::MatrixXd out(static_cast<Eigen::Index>(groups.size()), static_cast<Eigen::Index>(kResamples));
  const auto prior = covariance_prior(points, mixture.size());
  parallel_for(kResamples, [&](std::size_t b) {
    Philox random(seed, 2 + b);
    Eigen::VectorXd counts = Eigen::VectorXd::Zero(points.cols());
    for (Eigen::Index i = 0; i < points.cols(); ++i)
      counts[static_cast<Eigen::Index>(random.below(static_cast<std::uint64_t>(points.cols())))] += 1;
    const auto fit = expectation_maximisation(points, counts, mixture, prior, kResampleLimits);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      double sum = 0;
      for (const auto k : groups[g].components) sum += fit.mixture[k].weight;
      out(static_cast<Eigen::Index>(g), static_cast<Eigen::Index>(b)) = std::max(sum, kLeastPopulation);
    }
  });
  return out;
}

double deviation(const Eigen::ArrayXd& values) {
  return std::sqrt((values - values.mean()).square().sum() / static_cast<double>(values.size() - 1));
}

/// Indices that put populations in descending order.
std::vector<std::size_t> descending(const std::vector<double>& populations) {
  std::vector<std::size_t> order(populations.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return populations[a] > populations[b]; });
  return order;
}

/// Each point's group of largest share, as 1-based states; `state_of` takes components to 0-based states.
std::vector<int> assign(const Points& points, const Mixture& mixture,
                        const std::vector<std::size_t>& state_of, std::size_t states) {
  const MixtureDensity density(mixture);
  std::vector<int> assignment(static_cast<std::size_t>(points.cols()));
  parallel_for(assignment.size(), [&](std::size_t i) {
    const auto r = density.responsibilities(points.col(static_cast<Eigen::Index>(i)));
    std::vector<double> share(states, 0.0);
    for (std::size_t k = 0; k < state_of.size(); ++k) share[state_of[k]] += r[static_cast<Eigen::Index>(k)];
    assignment[i] = 1 + static_cast<int>(std::max_element(share.begin(), share.end()) - share.begin());
  });
  return assignment;
}

void count_members(StateSet& set) {
  for (const int s : set.assignment) ++set.states[static_cast<std::size_t>(s - 1)].particles;
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

StateSet mixture_states(const Points& points, const LandscapeOptions& options, std::uint64_t seed) {
  const auto rows = random_subset(static_cast<std::size_t>(points.cols()), kMostFitted, seed);
  const Points fitted = points(Eigen::all, rows);
  StateSet set;
  Mixture mixture;
  if (options.states > 0) {
    mixture = exact_mixture(fitted, static_cast<std::size_t>(options.states), seed);
  } else {
    auto selection =
        select_mixture(fitted, options.criterion, static_cast<std::size_t>(options.max_states), seed);
    mixture = std::move(selection.mixture);
    set.selection = std::move(selection.scores);
  }
  const auto grouping =
      options.states > 0 ? separate_components(mixture) : group_components(mixture, options.barrier);
  set.components = mixture.size();
  set.continuous = options.states == 0 && grouping.groups.size() == 1 && mixture.size() > 1;

  std::vector<double> populations;
  for (const auto& group : grouping.groups) {
    double sum = 0;
    for (const auto k : group.components) sum += mixture[k].weight;
    populations.push_back(std::max(sum, kLeastPopulation));
  }
  const auto order = descending(populations);
  const auto resampled = bootstrap_populations(fitted, mixture, grouping.groups, seed);
  const MixtureDensity density(mixture);
  const Eigen::ArrayXd first = resampled.row(static_cast<Eigen::Index>(order[0])).transpose().array();
  std::vector<std::size_t> rank(order.size()), state_of(mixture.size());
  for (std::size_t s = 0; s < order.size(); ++s) {
    const auto& group = grouping.groups[order[s]];
    const Eigen::ArrayXd own = resampled.row(static_cast<Eigen::Index>(order[s])).transpose().array();
    State state;
    state.population = populations[order[s]];
    state.population_error = deviation(own);
    state.energy = s == 0 ? 0.0 : -std::log(state.population / populations[order[0]]);
    state.energy_error = deviation((own / first).log());
    state.peak = group.peak;
    Eigen::Index ruling = 0;
    density.responsibilities(group.peak).maxCoeff(&ruling);
    state.precision = density.precision(static_cast<std::size_t>(ruling));
    set.states.push_back(std::move(state));
    rank[order[s]] = s;
    for (const auto k : group.components) state_of[k] = s;
  }
  set.barriers = barriers(grouping, rank);
  set.assignment = assign(points, mixture, state_of, set.states.size());
  return set;
}

/// Index of each point's nearest centre.
std::vector<int> nearest_centres(const Points& points, const Points& centres) {
  std::vector<int> labels(static_cast<std::size_t>(points.cols()));
  parallel_for(labels.size(), [&](std::size_t i) {
    Eigen::Index best = 0;
    (centres.colwise() - points.col(static_cast<Eigen::Index>(i))).colwise().squaredNorm().minCoeff(&best);
    labels[i] = static_cast<int>(best);
  });
  return labels;
}

StateSet kmeans_states(const Points& points, std::size_t count, std::uint64_t seed) {
  const auto rows = random_subset(static_cast<std::size_t>(points.cols()), kMostFitted, seed);
  Points fitted = points(Eigen::all, rows);
  const auto tensor = torch::from_blob(fitted.data(), {fitted.cols(), fitted.rows()}, torch::kDouble);
  auto generator = torch::make_generator<torch::CPUGeneratorImpl>(seed);
  const auto clusters = latent::kmeans(tensor, static_cast<std::int64_t>(count), kMeansIterations, generator)
                            .centres.contiguous();
  const Points centres =
      Eigen::Map<const Points>(clusters.data_ptr<double>(), points.rows(), static_cast<Eigen::Index>(count));
  const auto labels = nearest_centres(points, centres);
  std::vector<double> counts(count, 0.0);
  for (const int l : labels) counts[static_cast<std::size_t>(l)] += 1;
  const auto order = descending(counts);
  const double n = static_cast<double>(labels.size()), largest = counts[order[0]];
  StateSet set;
  std::vector<int> state_of(count, 0);
  for (const auto c : order) {
    if (counts[c] == 0) continue;
    State state;
    state.population = counts[c] / n;
    state.population_error = std::sqrt(state.population * (1 - state.population) / n);
    // The logarithm of a ratio of two multinomial counts.
    state.energy = c == order[0] ? 0.0 : -std::log(counts[c] / largest);
    state.energy_error = c == order[0] ? 0.0 : std::sqrt(1 / counts[c] + 1 / largest);
    state.peak = centres.col(static_cast<Eigen::Index>(c));
    state.precision = Eigen::MatrixXd::Identity(points.rows(), points.rows());
    set.states.push_back(std::move(state));
    state_of[c] = static_cast<int>(set.states.size());
  }
  for (const int l : labels) set.assignment.push_back(state_of[static_cast<std::size_t>(l)]);
  return set;
}

}  // namespace

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

StateSet find_states(const Points& points, const LandscapeOptions& options, std::uint64_t seed) {
  const bool kmeans = options.clustering == "kmeans";
  if (kmeans && options.states == 0)
    throw UsageError("--clustering kmeans needs a number of clusters: give --states");
  if (points.cols() == 0) fail("no particle has latents: there is nothing to cluster");
  if (points.cols() < options.states)
    fail("--states is {}, but there are only {} usable particles", options.states, points.cols());
  auto set = kmeans ? kmeans_states(points, static_cast<std::size_t>(options.states), seed)
                    : mixture_states(points, options, seed);
  count_members(set);
  return set;
}

}  // namespace cryoscape::landscape
