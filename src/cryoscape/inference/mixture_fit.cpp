#include "cryoscape/inference/mixture_fit.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "cryoscape/inference/mixture_extrapolation.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::inference {
namespace {

constexpr std::size_t kChunk = 256;      ///< particles whose sums are taken in order
constexpr double kLeastVariance = 1e-3;  ///< of a component, as a share of the whole's in any direction
constexpr EmLimits kTrial{10, 1e-6};     ///< of a split that is tried
constexpr std::size_t kTrialParticles = 800;
constexpr std::size_t kPatience = 2;  ///< components more without a better criterion

/// Σ r, Σ r δ and Σ r (C + δδᵀ) of a component, δ from its mean.
struct Moments {
  double count = 0;
  Eigen::VectorXd first;
  Eigen::MatrixXd second;
};

struct Sums {
  std::vector<Moments> moments;
  double log_likelihood = 0;

  Sums(std::size_t components, Eigen::Index d)
      : moments(components, {0, Eigen::VectorXd::Zero(d), Eigen::MatrixXd::Zero(d, d)}) {}

  void add(const std::vector<PreparedComponent>& mixture, const std::vector<PosteriorPart>& posterior,
           double weight) {
    std::vector<double> masses;
    for (const auto& part : posterior) masses.push_back(part.log_mass);
    const double whole = log_sum_exp(masses);
    log_likelihood += weight * whole;
    for (const auto& part : posterior) {
      const double share = weight * std::exp(part.log_mass - whole);
      if (share < 1e-12) continue;
      auto& m = moments[part.component];
      const auto d = part.mean.size();
      const Eigen::VectorXd offset = part.mean - mixture[part.component].mean;
      Eigen::MatrixXd inverse = Eigen::MatrixXd::Identity(d, d);
      part.precision_root.triangularView<Eigen::Lower>().solveInPlace(inverse);
      m.count += share;
      m.first += share * offset;
      m.second.noalias() += share * (inverse.transpose() * inverse + offset * offset.transpose());
    }
  }

  void add(const Sums& other) {
    log_likelihood += other.log_likelihood;
    for (std::size_t k = 0; k < moments.size(); ++k) {
      moments[k].count += other.moments[k].count;
      moments[k].first += other.moments[k].first;
      moments[k].second += other.moments[k].second;
    }
  }
};

Sums expectation(const std::vector<PreparedComponent>& mixture, const Expansions& e,
                 const std::vector<EntryRange>& ranges, const std::vector<double>& weights) {
  const auto d = static_cast<Eigen::Index>(e.dim);
  const std::size_t chunks = (ranges.size() + kChunk - 1) / kChunk;
  std::vector<Sums> parts(chunks, Sums(mixture.size(), d));
  parallel_for(chunks, [&](std::size_t c) {
    for (std::size_t i = c * kChunk; i < std::min(ranges.size(), (c + 1) * kChunk); ++i) {
      const double weight = weights.empty() ? 1 : weights[i];
      if (weight > 0) parts[c].add(mixture, posterior_of(mixture, e, ranges[i]), weight);
    }
  });
  Sums sums(mixture.size(), d);
  for (const auto& part : parts) sums.add(part);
  return sums;
}

/// Sum of the particles' weights.
double total_of(const std::vector<double>& weights, std::size_t particles) {
  if (weights.empty()) return static_cast<double>(particles);
  return std::accumulate(weights.begin(), weights.end(), 0.0);
}

/// What bounds covariances from below: a share of the whole's, L Lᵀ.
class Floor {
 public:
  explicit Floor(const GaussianMixture& start) : root_(moments_of(start).covariance.llt().matrixL()) {}

  Eigen::MatrixXd above(const Eigen::MatrixXd& covariance) const {
    const auto l = root_.triangularView<Eigen::Lower>();
    const Eigen::MatrixXd half = l.solve(covariance);
    const Eigen::MatrixXd unit = l.solve(half.transpose());
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(0.5 * (unit + unit.transpose()));
    if (eigen.eigenvalues()[0] >= kLeastVariance) return covariance;
    const Eigen::VectorXd values = eigen.eigenvalues().cwiseMax(kLeastVariance);
    const Eigen::MatrixXd axes = root_ * eigen.eigenvectors();
    return axes * values.asDiagonal() * axes.transpose();
  }

 private:
  Eigen::MatrixXd root_;
};

GaussianMixture maximisation(GaussianMixture mixture, const Sums& sums, double total, const Floor& floor) {
  for (std::size_t k = 0; k < mixture.size(); ++k) {
    const auto& m = sums.moments[k];
    auto& c = mixture[k];
    c.weight = std::max(m.count / total, 1e-12);
    if (m.count < 1e-6) continue;  // nothing to estimate a shape from
    const Eigen::VectorXd step = m.first / m.count;
    c.mean += step;
    c.covariance = floor.above(m.second / m.count - step * step.transpose());
  }
  return mixture;
}

Eigen::MatrixXd mean_information(const Expansions& e) {
  const auto d = static_cast<Eigen::Index>(e.dim);
  Eigen::MatrixXd mean = Eigen::MatrixXd::Zero(d, d);
  for (std::size_t m = 0; m < e.size(); ++m)
    mean += Eigen::Map<const Eigen::MatrixXf>(e.information.data() + m * e.dim * e.dim, d, d).cast<double>();
  return mean / static_cast<double>(std::max<std::size_t>(1, e.size()));
}

/// Shares λ/(1 + λ) of what a particle tells about directions of latent space, λ being the whole's variance
/// over that of the particle's noise.
Eigen::VectorXd information_shares(const GaussianComponent& whole, const Eigen::MatrixXd& information) {
  const Eigen::MatrixXd root = whole.covariance.llt().matrixL();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(root.transpose() * information * root);
  const Eigen::ArrayXd ratio = eigen.eigenvalues().array().max(0);
  return ratio / (1 + ratio);
}

/// Steps of one standard deviation of a component in directions that stand out most from the noise.
std::vector<Eigen::VectorXd> telling_axes(const GaussianComponent& c, const Eigen::MatrixXd& information) {
  const Eigen::MatrixXd root = c.covariance.llt().matrixL();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(root.transpose() * information * root);
  std::vector<Eigen::VectorXd> axes;
  for (Eigen::Index a = 0; a < std::min<Eigen::Index>(2, root.cols()); ++a)
    axes.emplace_back(root * eigen.eigenvectors().col(root.cols() - 1 - a));
  return axes;
}

/// Component k in two halves along a step; and with a tenth of it apart, for small remote states.
GaussianMixture halved(GaussianMixture mixture, std::size_t k, const Eigen::VectorXd& axis) {
  auto& c = mixture[k];
  c.weight /= 2;
  c.covariance -= 0.9 * 0.64 * axis * axis.transpose();
  auto other = c;
  c.mean += 0.8 * axis, other.mean -= 0.8 * axis;
  mixture.push_back(other);
  return mixture;
}

GaussianMixture branched(GaussianMixture mixture, std::size_t k, const Eigen::VectorXd& step) {
  auto other = mixture[k];
  mixture[k].weight *= 0.9, other.weight *= 0.1;
  other.mean += step;
  other.covariance -= 0.9 / step.dot(other.covariance.llt().solve(step)) * step * step.transpose();
  mixture.push_back(other);
  return mixture;
}

std::vector<GaussianMixture> splits_of(const GaussianMixture& mixture, const Eigen::MatrixXd& information) {
  std::vector<GaussianMixture> out;
  for (std::size_t k = 0; k < mixture.size(); ++k) {
    const auto axes = telling_axes(mixture[k], information);
    for (const auto& axis : axes) out.push_back(halved(mixture, k, axis));
    for (const double side : {-2.0, 2.0}) out.push_back(branched(mixture, k, side * axes[0]));
  }
  return out;
}

/// An even choice of at most kTrialParticles particles.
std::vector<double> trial_weights(std::size_t particles) {
  if (particles <= kTrialParticles) return {};
  std::vector<double> weights(particles);
  for (std::size_t j = 0; j < kTrialParticles; ++j) weights[j * particles / kTrialParticles] = 1;
  return weights;
}

GaussianMixture best_split(const Expansions& e, const GaussianMixture& mixture,
                           const Eigen::MatrixXd& information, std::size_t particles) {
  const auto weights = trial_weights(particles);
  std::optional<MixtureFit> best;
  for (auto& start : splits_of(mixture, information)) {
    auto trial = deconvolve(e, weights, std::move(start), kTrial);
    if (!best || trial.log_likelihood > best->log_likelihood) best = std::move(trial);
  }
  return best->mixture;
}

template <class Entries>
void append(std::vector<Entries>& to, const std::vector<Entries>& from, const EntryRange& r,
            std::size_t columns) {
  to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(r.first * columns),
            from.begin() + static_cast<std::ptrdiff_t>(r.last * columns));
}

}  // namespace

double parameter_cost(std::size_t components, const Eigen::VectorXd& shares, double particles) {
  const auto cost = [&](double share) { return 0.5 * std::log1p(particles * share); };
  double of_one = 0;
  for (Eigen::Index i = 0; i < shares.size(); ++i) {
    of_one += cost(shares[i]);
    for (Eigen::Index j = 0; j <= i; ++j) of_one += cost(shares[i] * shares[j]);
  }
  const auto k = static_cast<double>(components);
  return (k - 1) * cost(1) + k * of_one;
}

MixtureFit deconvolve(const Expansions& e, const std::vector<double>& weights, GaussianMixture start,
                      const EmLimits& limits) {
  const auto ranges = entry_ranges(e.particle);
  MixtureFit fit{std::move(start), 0, total_of(weights, ranges.size()), 0};
  const Floor floor(fit.mixture);
  for (int i = 0;; ++i) {
    throw_if_interrupted();
    const auto sums = expectation(prepared(fit.mixture), e, ranges, weights);
    const double before = fit.log_likelihood;
    fit.log_likelihood = sums.log_likelihood / fit.particles, fit.iterations = i;
    if (i == limits.iterations || (i > 0 && fit.log_likelihood - before < limits.tolerance)) return fit;
    fit.mixture = maximisation(std::move(fit.mixture), sums, fit.particles, floor);
  }
}

MixtureFit deconvolve_quickly(const Expansions& e, const std::vector<double>& weights, GaussianMixture start,
                              const EmLimits& limits) {
  const auto ranges = entry_ranges(e.particle);
  MixtureFit fit{std::move(start), 0, total_of(weights, ranges.size()), 0};
  const Floor floor(fit.mixture);
  // The mean log-likelihood of a mixture, and a plain step from it.
  const auto step = [&](const GaussianMixture& from) {
    throw_if_interrupted();
    const auto sums = expectation(prepared(from), e, ranges, weights);
    return std::pair(sums.log_likelihood / fit.particles, maximisation(from, sums, fit.particles, floor));
  };
  auto [likelihood, first] = step(fit.mixture);
  for (fit.log_likelihood = likelihood; fit.iterations < limits.iterations; ++fit.iterations) {
    auto [of_first, second] = step(first);
    auto reached = extrapolated(fit.mixture, first, second);
    auto next = step(reached);
    if (!(next.first >= of_first)) reached = std::move(second), next = step(reached);
    const double gain = next.first - fit.log_likelihood;
    fit.mixture = std::move(reached), fit.log_likelihood = next.first, first = std::move(next.second);
    if (gain < limits.tolerance) break;
  }
  return fit;
}

MixtureFit grow_mixture(const Expansions& e, const GaussianComponent& broad, std::size_t most) {
  check(e);
  const auto particles = entry_ranges(e.particle).size();
  if (particles == 0) fail("there are no particles to fit a prior to");
  const auto information = mean_information(e);
  Eigen::VectorXd shares;
  const auto fitted = [&](GaussianMixture start) {
    auto fit = deconvolve_quickly(e, {}, std::move(start), {});
    if (shares.size() == 0) shares = information_shares(moments_of(fit.mixture), information);
    fit.criterion =
        fit.log_likelihood - parameter_cost(fit.mixture.size(), shares, fit.particles) / fit.particles;
    return fit;
  };
  auto last = fitted({{1, broad.mean, broad.covariance}});
  auto best = last;
  while (last.mixture.size() < std::min(most, best.mixture.size() + kPatience)) {
    last = fitted(best_split(e, last.mixture, information, particles));
    if (last.criterion > best.criterion) best = last;
  }
  return best;
}

Expansions subset(const Expansions& e, const std::vector<char>& keep) {
  Expansions out;
  out.dim = e.dim;
  const auto ranges = entry_ranges(e.particle);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (!keep.at(i)) continue;
    append(out.particle, e.particle, ranges[i], 1);
    append(out.point, e.point, ranges[i], e.dim);
    append(out.score, e.score, ranges[i], e.dim);
    append(out.information, e.information, ranges[i], e.dim * e.dim);
    append(out.log_ratio, e.log_ratio, ranges[i], 1);
    append(out.mass, e.mass, ranges[i], 1);
  }
  return out;
}

ScoredDraws subset(const ScoredDraws& d, const std::vector<char>& keep) {
  ScoredDraws out;
  out.dim = d.dim;
  const auto ranges = entry_ranges(d.particle);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (!keep.at(i)) continue;
    append(out.particle, d.particle, ranges[i], 1);
    append(out.latent, d.latent, ranges[i], d.dim);
    append(out.log_ratio, d.log_ratio, ranges[i], 1);
    append(out.log_proposal, d.log_proposal, ranges[i], 1);
  }
  return out;
}

}  // namespace cryoscape::inference
