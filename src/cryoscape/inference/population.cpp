#include "cryoscape/inference/population.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "cryoscape/inference/population_solver.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::inference {
namespace {

constexpr std::size_t kIntervals = 40, kIntervalsOfTwo = 12;
/// λ per particle, from where only a Gaussian is left to where details of a hundredth of an axis are free.
constexpr double kStrongest = 1e-1, kWeakest = 1e-11, kRatio = 0.31622776601683794;
constexpr std::size_t kFolds = 5;
constexpr double kLittleSupport = 4;  // of a criterion that is twice a log likelihood
constexpr std::size_t kNear = 2;      // strengths about the full sample's that resamples try at first
/// Strengths below a resample's own choice at which it is fitted: the criterion's choice trades variance for
/// bias at barriers, of which its own spread would know nothing.
constexpr std::size_t kUndersmoothed = 2;

std::size_t intervals_of(const PopulationTable& table, const PopulationOptions& options) {
  if (options.intervals > 0) return options.intervals;
  return table.grid.axes.size() == 1 ? kIntervals : kIntervalsOfTwo;
}

/// Fits of the whole sample at all strengths, the strongest first, and how one is chosen.
class PenaltyPath {
 public:
  PenaltyPath(const PopulationTable& table, const PopulationOptions& options)
      : table_(table),
        held_out_(options.criterion == "held-out"),
        solver_(table, make_smooth_basis(table.grid.nodes(), intervals_of(table, options))),
        weights_(table.weights()) {
    double weight = 0;
    for (const double w : weights_) weight += w;
    Eigen::VectorXd start;
    for (double strength = kStrongest; strength > kWeakest; strength *= kRatio) {
      throw_if_interrupted();
      fits_.push_back(solver_.maximise(strength * weight, start, weights_));
      start = fits_.back().coefficients;
    }
    std::vector<double> cost;
    for (std::size_t k = 0; k < fits_.size(); ++k) cost.push_back(cost_of(fits_[k], k, weights_));
    chosen_ = static_cast<std::size_t>(std::min_element(cost.begin(), cost.end()) - cost.begin());
    while (cost[plain_] > cost[chosen_] + kLittleSupport) ++plain_;
  }

  const PenalisedFit& chosen() const { return fits_[chosen_]; }
  const PenalisedFit& plain() const { return fits_[plain_]; }

  /// A fit for other weights, a decade weaker than its own best strength, which is sought near the whole
  /// sample's and beyond while it improves.
  PenalisedFit reweigh(std::span<const double> weights) const {
    std::vector<std::optional<PenalisedFit>> tried(fits_.size());
    std::vector<double> cost(fits_.size(), INFINITY);
    std::size_t first = chosen_ - std::min(chosen_, kNear),
                last = std::min(chosen_ + kNear, fits_.size() - 1);
    std::size_t best = chosen_;
    const auto attempt = [&](std::size_t k) {
      tried[k] = solver_.reweigh(fits_[k], weights);
      cost[k] = cost_of(*tried[k], k, weights);
      if (cost[k] < cost[best]) best = k;
    };
    for (auto k = first; k <= last; ++k) attempt(k);
    while (best == first && first > 0) attempt(--first);
    while (best == last && last + 1 < fits_.size()) attempt(++last);
    const auto weaker = std::min(best + kUndersmoothed, fits_.size() - 1);
    return tried[weaker] ? *tried[weaker] : solver_.reweigh(fits_[weaker], weights);
  }

 private:
  /// Twice minus what is expected of new data.
  double cost_of(const PenalisedFit& fit, std::size_t k, std::span<const double> weights) const {
    if (!held_out_) return -2 * fit.log_likelihood + 2 * fit.degrees_of_freedom;
    double held_out = 0;
    std::vector<double> inside(weights.size()), outside(weights.size());
    for (std::size_t fold = 0; fold < kFolds; ++fold) {
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const bool own = table_.group[i] % kFolds == fold;
        inside[i] = own ? 0 : weights[i], outside[i] = own ? weights[i] : 0;
      }
      held_out += solver_.log_likelihood(solver_.reweigh(fits_[k], inside).share, outside);
    }
    return -2 * held_out;
  }

  const PopulationTable& table_;
  bool held_out_;
  PopulationSolver solver_;
  std::vector<double> weights_;
  std::vector<PenalisedFit> fits_;
  std::size_t chosen_ = 0, plain_ = 0;
};

PopulationFit as_population(const PopulationTable& table, const PenalisedFit& fit) {
  PopulationFit out{fit.share, fit.share, fit.lambda, fit.log_likelihood, fit.degrees_of_freedom};
  const auto cell = make_smooth_basis(table.grid.nodes(), 1).cell;
  for (std::size_t k = 0; k < cell.size(); ++k) out.density[k] /= cell[k] * table.grid.volume();
  return out;
}

void check(const PopulationTable& table, const PopulationOptions& options) {
  if (table.size() == 0) fail("there are no particles to fit a population to");
  if (options.criterion != "aic" && options.criterion != "held-out")
    throw UsageError(fmt::format("--criterion is {}, but must be aic or held-out", options.criterion));
}

/// How often each group is drawn, times the weights of its rows.
std::vector<double> resample(const PopulationTable& table, std::uint64_t seed, std::uint64_t stream) {
  Philox random(seed, stream);
  const std::size_t groups = table.groups();
  std::vector<double> drawn(groups, 0.0);
  for (std::size_t k = 0; k < groups; ++k) ++drawn[random.below(groups)];
  auto weights = table.weights();
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] *= drawn[table.group[i]];
  return weights;
}

}  // namespace

std::vector<double> free_energy(std::span<const double> density) {
  constexpr double kLeast = 1e-300;
  const double most = *std::max_element(density.begin(), density.end());
  std::vector<double> out;
  for (const double p : density) out.push_back(-std::log(std::max(p / most, kLeast)));
  return out;
}

PopulationFit fit_population(const PopulationTable& table, const PopulationOptions& options) {
  check(table, options);
  return as_population(table, PenaltyPath(table, options).chosen());
}

PopulationBootstrap bootstrap_population(const PopulationTable& table, const PopulationOptions& options,
                                         std::size_t resamples, std::uint64_t seed) {
  check(table, options);
  const PenaltyPath path(table, options);
  PopulationBootstrap out{as_population(table, path.chosen()), as_population(table, path.plain()), {}};
  out.resampled.resize(resamples);
  parallel_for(resamples, [&](std::size_t b) {
    throw_if_interrupted();
    out.resampled[b] = as_population(table, path.reweigh(resample(table, seed, b)));
  });
  return out;
}

}  // namespace cryoscape::inference
