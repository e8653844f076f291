#include "cryoscape/landscape/selection.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cryoscape/util/random.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kFolds = 5;
constexpr int kPatience = 3;

/// A mixture needs a few points per Gaussian.
std::size_t most_components(const Points& points, std::size_t most) {
  return std::clamp<std::size_t>(static_cast<std::size_t>(points.cols() / (2 * (points.rows() + 1))), 1,
                                 most);
}

/// One fold held out, and mixtures of 1, 2, … Gaussians grown on the rest.
class Fold {
 public:
  Fold(const Points& points, const std::vector<Eigen::Index>& order, std::size_t fold) {
    std::vector<Eigen::Index> in, out;
    for (std::size_t i = 0; i < order.size(); ++i) (i % kFolds == fold ? out : in).push_back(order[i]);
    training_ = points(Eigen::all, in);
    held_out_ = points(Eigen::all, out);
  }
  /// Sum of held-out log-densities of the mixture that is one Gaussian larger than the last.
  double next(std::size_t components, std::uint64_t seed) {
    mixture_ = fit_mixture(training_, components, mixture_.empty() ? nullptr : &mixture_, seed).mixture;
    const MixtureDensity density(mixture_);
    double sum = 0;
    for (const auto& x : held_out_.colwise()) sum += density.log_density(x);
    return sum;
  }

 private:
  Points training_, held_out_;
  Mixture mixture_;
};

std::vector<Fold> make_folds(const Points& points, std::uint64_t seed) {
  std::vector<Eigen::Index> order(static_cast<std::size_t>(points.cols()));
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  Philox random(seed, 1);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  std::vector<Fold> folds;
  for (std::size_t f = 0; f < kFolds; ++f) folds.emplace_back(points, order, f);
  return folds;
}

}  // namespace

Selection select_mixture(const Points& points, const std::string& criterion, std::size_t most,
                         std::uint64_t seed) {
  const bool validate =
      criterion == "cross-validation" && points.cols() >= static_cast<Eigen::Index>(2 * kFolds);
  auto folds = validate ? make_folds(points, seed) : std::vector<Fold>{};
  const double n = static_cast<double>(points.cols());
  Selection selection;
  Mixture last;
  double best = 0;
  int worse = 0;
  for (std::size_t k = 1; k <= most_components(points, most) && worse < kPatience; ++k) {
    auto fit = fit_mixture(points, k, last.empty() ? nullptr : &last, seed);
    last = fit.mixture;
    double cost = parameter_count(k, static_cast<std::size_t>(points.rows())) * std::log(n) -
                  2 * n * fit.log_likelihood;
    if (validate) {
      cost = 0;
      for (auto& fold : folds) cost -= fold.next(k, seed) / n;
    }
    selection.scores.push_back({k, validate ? -cost : cost});
    const bool better = k == 1 || cost < best;
    worse = better ? 0 : worse + 1;
    if (!better) continue;
    best = cost;
    selection.mixture = std::move(fit.mixture);
  }
  return selection;
}

Mixture exact_mixture(const Points& points, std::size_t components, std::uint64_t seed) {
  Mixture mixture;
  for (std::size_t k = 1; k <= components; ++k)
    mixture = fit_mixture(points, k, mixture.empty() ? nullptr : &mixture, seed).mixture;
  return mixture;
}

}  // namespace cryoscape::landscape
