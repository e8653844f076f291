#include "cryoscape/landscape/mixture.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/latent/kmeans.hpp"
#include "cryoscape/torch.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::landscape {
namespace {

constexpr Eigen::Index kChunk = 2048;
constexpr double kTinyVariance = 1e-8;  // Å², for points that do not vary at all
constexpr int kMeansStarts = 3, kMeansIterations = 15, kSeedStarts = 2;
constexpr EmLimits kTrial{12, 1e-5};

/// Weighted sums of the points of one chunk.
struct Sums {
  double log_likelihood = 0;
  Eigen::VectorXd count;
  std::vector<Eigen::VectorXd> first;
  std::vector<Eigen::MatrixXd> second;
};

/// Turns columns of log-joints into responsibilities and returns each column's log-density.
Eigen::RowVectorXd normalise(Eigen::MatrixXd& joint) {
  const Eigen::RowVectorXd largest = joint.colwise().maxCoeff();
  joint = (joint.rowwise() - largest).array().exp();
  const Eigen::RowVectorXd sum = joint.colwise().sum();
  joint.array().rowwise() /= sum.array();
  return largest.array() + sum.array().log();
}

Sums chunk_sums(const MixtureDensity& density, const Eigen::Ref<const Points>& x,
                const Eigen::VectorXd& weights, Eigen::Index begin) {
  Sums sums;
  Eigen::MatrixXd r = density.log_joint(x);
  Eigen::RowVectorXd log_density = normalise(r);
  if (weights.size() > 0) {
    const auto w = weights.segment(begin, x.cols()).transpose();
    r.array().rowwise() *= w.array();
    log_density.array() *= w.array();
  }
  sums.log_likelihood = log_density.sum();
  sums.count = r.rowwise().sum();
  for (Eigen::Index k = 0; k < r.rows(); ++k) {
    const Eigen::MatrixXd scaled = x.array().rowwise() * r.row(k).array();
    sums.first.emplace_back(scaled.rowwise().sum());
    sums.second.emplace_back(scaled * x.transpose());
  }
  return sums;
}

/// Sums over all points, in chunks that do not depend on the number of threads.
Sums expectation(const MixtureDensity& density, const Points& points, const Eigen::VectorXd& weights) {
  const auto chunks = static_cast<std::size_t>((points.cols() + kChunk - 1) / kChunk);
  std::vector<Sums> parts(chunks);
  parallel_for(chunks, [&](std::size_t c) {
    const auto begin = static_cast<Eigen::Index>(c) * kChunk;
    parts[c] = chunk_sums(density, points.middleCols(begin, std::min(kChunk, points.cols() - begin)), weights,
                          begin);
  });
  for (std::size_t c = 1; c < chunks; ++c) {
    parts[0].log_likelihood += parts[c].log_likelihood;
    parts[0].count += parts[c].count;
    for (std::size_t k = 0; k < parts[0].first.size(); ++k) {
      parts[0].first[k] += parts[c].first[k];
      parts[0].second[k] += parts[c].second[k];
    }
  }
  return std::move(parts[0]);
}

Mixture maximisation(const Sums& sums, const CovariancePrior& prior) {
  Mixture mixture(sums.first.size());
  const double total = sums.count.sum();
  for (std::size_t k = 0; k < mixture.size(); ++k) {
    const double n = std::max(sums.count[static_cast<Eigen::Index>(k)], 1e-10);
    auto& c = mixture[k];
    c.weight = n / total;
    c.mean = sums.first[k] / n;
    const Eigen::MatrixXd scatter = sums.second[k] - n * c.mean * c.mean.transpose();
    c.covariance = (scatter + prior.strength * prior.scale) / (n + prior.strength);
    c.covariance.diagonal().array() += kTinyVariance;
  }
  return mixture;
}

/// The mixture of the clusters that labels (M) name.
Mixture from_labels(const Points& points, const std::vector<int>& labels, std::size_t components,
                    const CovariancePrior& prior) {
  const auto d = points.rows();
  Sums sums;
  sums.count = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(components));
  sums.first.assign(components, Eigen::VectorXd::Zero(d));
  sums.second.assign(components, Eigen::MatrixXd::Zero(d, d));
  for (Eigen::Index i = 0; i < points.cols(); ++i) {
    const auto k = static_cast<std::size_t>(labels[static_cast<std::size_t>(i)]);
    sums.count[labels[static_cast<std::size_t>(i)]] += 1;
    sums.first[k] += points.col(i);
    sums.second[k].noalias() += points.col(i) * points.col(i).transpose();
  }
  return maximisation(sums, prior);
}

/// The mixture with component k in two halves along its longest axis.
Mixture split(const Mixture& mixture, std::size_t k) {
  Mixture out = mixture;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(mixture[k].covariance);
  const Eigen::VectorXd step =
      0.8 * std::sqrt(eigen.eigenvalues().tail(1)[0]) * eigen.eigenvectors().rightCols(1);
  out[k].weight /= 2;
  out[k].covariance -= 0.9 * step * step.transpose();
  out.push_back(out[k]);
  out[k].mean += step;
  out.back().mean -= step;
  return out;
}

/// Starts from k-means; those without iterations put their centres at far points, which finds small, remote
/// clusters.
std::vector<Mixture> kmeans_starts(const Points& points, std::size_t components, const CovariancePrior& prior,
                                   std::uint64_t seed) {
  const auto rows =
      torch::from_blob(const_cast<double*>(points.data()), {points.cols(), points.rows()}, torch::kDouble);
  auto generator = torch::make_generator<torch::CPUGeneratorImpl>(seed);
  std::vector<Mixture> starts;
  for (int s = 0; s < kMeansStarts + kSeedStarts; ++s) {
    const auto clusters = latent::kmeans(rows, static_cast<std::int64_t>(components),
                                         s < kMeansStarts ? kMeansIterations : 0, generator);
    const auto* labels = clusters.labels.data_ptr<std::int64_t>();
    starts.push_back(from_labels(points, {labels, labels + points.cols()}, components, prior));
  }
  return starts;
}

}  // namespace

MixtureDensity::MixtureDensity(const Mixture& mixture) {
  for (const auto& c : mixture) {
    const auto d = c.mean.size();
    const Eigen::LLT<Eigen::MatrixXd> llt(c.covariance);
    const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(d, d);
    mean_.push_back(c.mean);
    root_.emplace_back(llt.matrixL().solve(identity));
    precision_.emplace_back(root_.back().transpose() * root_.back());
    offset_.push_back(std::log(c.weight) + root_.back().diagonal().array().log().sum() -
                      0.5 * static_cast<double>(d) * std::log(2 * std::numbers::pi));
  }
}

Eigen::MatrixXd MixtureDensity::log_joint(const Eigen::Ref<const Points>& points) const {
  Eigen::MatrixXd out(static_cast<Eigen::Index>(size()), points.cols());
  for (std::size_t k = 0; k < size(); ++k) {
    const Eigen::MatrixXd whitened = root_[k].triangularView<Eigen::Lower>() * (points.colwise() - mean_[k]);
    out.row(static_cast<Eigen::Index>(k)) =
        (offset_[k] - 0.5 * whitened.colwise().squaredNorm().array()).matrix();
  }
  return out;
}

double MixtureDensity::log_density(const Eigen::VectorXd& x) const {
  Eigen::MatrixXd joint = log_joint(x);
  return normalise(joint)[0];
}

Eigen::VectorXd MixtureDensity::responsibilities(const Eigen::VectorXd& x) const {
  Eigen::MatrixXd joint = log_joint(x);
  normalise(joint);
  return joint.col(0);
}

CovariancePrior covariance_prior(const Points& points, std::size_t components) {
  const auto d = points.rows();
  const Points centred = points.colwise() - points.rowwise().mean();
  CovariancePrior prior;
  prior.strength = static_cast<double>(d) + 2;
  prior.scale = centred * centred.transpose() / static_cast<double>(points.cols()) /
                std::pow(static_cast<double>(components), 2.0 / static_cast<double>(d));
  return prior;
}

Fit expectation_maximisation(const Points& points, const Eigen::VectorXd& weights, Mixture start,
                             const CovariancePrior& prior, const EmLimits& limits) {
  Fit fit{std::move(start), 0};
  const double total = weights.size() > 0 ? weights.sum() : static_cast<double>(points.cols());
  for (int i = 0; i <= limits.iterations; ++i) {
    throw_if_interrupted();
    const auto sums = expectation(MixtureDensity(fit.mixture), points, weights);
    const double before = fit.log_likelihood;
    fit.log_likelihood = sums.log_likelihood / total;
    if (i == limits.iterations || (i > 0 && std::abs(fit.log_likelihood - before) < limits.tolerance)) break;
    fit.mixture = maximisation(sums, prior);
  }
  return fit;
}

Fit fit_mixture(const Points& points, std::size_t components, const Mixture* smaller, std::uint64_t seed) {
  const auto prior = covariance_prior(points, components);
  auto starts = kmeans_starts(points, components, prior, seed);
  if (components == 1) starts.resize(1);
  for (std::size_t k = 0; smaller && k < smaller->size(); ++k) starts.push_back(split(*smaller, k));
  std::vector<Fit> trials(starts.size());
  parallel_for(starts.size(), [&](std::size_t s) {
    trials[s] = expectation_maximisation(points, {}, std::move(starts[s]), prior, kTrial);
  });
  const auto best = std::max_element(trials.begin(), trials.end(), [](const Fit& a, const Fit& b) {
    return a.log_likelihood < b.log_likelihood;
  });
  return expectation_maximisation(points, {}, std::move(best->mixture), prior, {});
}

double parameter_count(std::size_t components, std::size_t dimension) {
  const double k = static_cast<double>(components), d = static_cast<double>(dimension);
  return k - 1 + k * d + k * d * (d + 1) / 2;
}

}  // namespace cryoscape::landscape
