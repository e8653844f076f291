#include "cryoscape/inference/population_solver.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/util/parallel.hpp"

namespace cryoscape::inference {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

constexpr std::size_t kChunks = 16;  // partial sums over rows, whatever the number of threads
constexpr Eigen::Index kBlock = 64;  // rows whose scores are squared together
constexpr int kMostSteps = 200;
constexpr double kClose = 1e-5;  // nats by which the objective may still rise
constexpr double kNear = 1e-4;   // the same for resamples: 0.014 standard errors
constexpr std::size_t kMemory = 8;
constexpr double kLongest = 3;  // kT that a step may change ln p by
constexpr int kHalvings = 30;
/// Of ∫(ln p − mean)², so that a population narrower than its images can tell has an end: 0.005 nats at 10
/// kT.
constexpr double kWeak = 1e-4;

/// What a chunk of rows adds up to.
struct Sums {
  double log_likelihood = 0;
  std::vector<double> responsibility;
};

/// Σ_j A_ij share_j of a row; in four parts, which do not wait for each other.
double mixed(const PopulationTable& table, std::size_t row, const double* share) {
  const auto last = table.begin[row + 1];
  auto j = table.begin[row];
  double s[4] = {};
  for (; j + 4 <= last; j += 4)
    for (std::size_t k = 0; k < 4; ++k) s[k] += table.likelihood[j + k] * share[table.node[j + k]];
  for (; j < last; ++j) s[0] += table.likelihood[j] * share[table.node[j]];
  return std::max((s[0] + s[1]) + (s[2] + s[3]), 1e-300);
}

template <class Body>
void for_chunks(std::size_t rows, Body&& body) {
  parallel_for(kChunks,
               [&](std::size_t chunk) { body(chunk, chunk * rows / kChunks, (chunk + 1) * rows / kChunks); });
}

Matrix as_matrix(const std::vector<double>& values, std::size_t m) {
  const auto n = static_cast<Eigen::Index>(m);
  return Eigen::Map<const Matrix>(values.data(), n, n);
}

/// Limited-memory BFGS (Nocedal, Mathematics of Computation 35, 773, 1980) on top of a known curvature, which
/// is that of other weights: plain steps with it would close in by a constant factor only.
class QuasiNewton {
 public:
  explicit QuasiNewton(const Eigen::LLT<Matrix>& curvature) : curvature_(curvature) {}

  /// A change of the coefficients and by how much it lessened the gradient.
  void learn(const Vector& moved, const Vector& lessened) {
    if (!(moved.dot(lessened) > 0)) return;
    if (moved_.size() == kMemory) moved_.erase(moved_.begin()), lessened_.erase(lessened_.begin());
    moved_.push_back(moved), lessened_.push_back(lessened);
  }

  Vector step(Vector gradient) const {
    std::vector<double> share(moved_.size());
    for (auto i = moved_.size(); i-- > 0;) {
      share[i] = moved_[i].dot(gradient) / moved_[i].dot(lessened_[i]);
      gradient -= share[i] * lessened_[i];
    }
    Vector out = curvature_.solve(gradient);
    for (std::size_t i = 0; i < moved_.size(); ++i)
      out += (share[i] - lessened_[i].dot(out) / moved_[i].dot(lessened_[i])) * moved_[i];
    return out;
  }

 private:
  const Eigen::LLT<Matrix>& curvature_;
  std::vector<Vector> moved_, lessened_;
};

}  // namespace

/// The objective at one density.
struct PopulationSolver::Point {
  std::vector<double> share, responsibility;  // (K)
  double log_likelihood = 0, objective = 0;
  Vector gradient;
};

PopulationSolver::PopulationSolver(const PopulationTable& table, SmoothBasis basis)
    : table_(table),
      basis_(std::move(basis)),
      roughness_(as_matrix(basis_.roughness, basis_.functions)),
      spread_(as_matrix(basis_.spread, basis_.functions)) {
  const auto reached = table.grid.reaches();
  for (std::size_t k = 0; k < basis_.nodes; ++k)
    if (!reached[k]) basis_.cell[k] = 0;
}

/// Φᵀ v.
Vector PopulationSolver::project(const std::vector<double>& values) const {
  Vector out = Vector::Zero(static_cast<Eigen::Index>(basis_.functions));
  for (std::size_t k = 0; k < values.size(); ++k)
    for (auto s = k * basis_.support; s < (k + 1) * basis_.support; ++s)
      out[basis_.function[s]] += basis_.value[s] * values[k];
  return out;
}

Matrix PopulationSolver::penalty(double lambda) const { return lambda * roughness_ + kWeak * spread_; }

PopulationSolver::Point PopulationSolver::at(const Vector& coefficients, double lambda,
                                             std::span<const double> weights) const {
  Point p;
  std::vector<double> log_share(basis_.nodes, 0.0);
  for (std::size_t k = 0; k < basis_.nodes; ++k)
    for (auto s = k * basis_.support; s < (k + 1) * basis_.support; ++s)
      log_share[k] += basis_.value[s] * coefficients[basis_.function[s]];
  const double largest = *std::max_element(log_share.begin(), log_share.end());
  double total = 0;
  for (std::size_t k = 0; k < basis_.nodes; ++k)
    total += p.share.emplace_back(basis_.cell[k] * std::exp(log_share[k] - largest));
  for (auto& share : p.share) share /= total;

  std::vector<Sums> sums(kChunks);
  for_chunks(table_.size(), [&](std::size_t chunk, std::size_t begin, std::size_t end) {
    auto& own = sums[chunk];
    own.responsibility.assign(basis_.nodes, 0.0);
    for (auto i = begin; i < end; ++i) {
      if (weights[i] == 0) continue;
      const double s = mixed(table_, i, p.share.data());
      own.log_likelihood += weights[i] * std::log(s);
      for (auto j = table_.begin[i]; j < table_.begin[i + 1]; ++j)
        own.responsibility[table_.node[j]] += weights[i] / s * table_.likelihood[j];
    }
  });
  p.responsibility.assign(basis_.nodes, 0.0);
  for (const auto& own : sums) {
    p.log_likelihood += own.log_likelihood;
    for (std::size_t k = 0; k < basis_.nodes; ++k) p.responsibility[k] += own.responsibility[k];
  }
  double weight = 0;
  for (const double w : weights) weight += w;
  auto excess = p.responsibility;
  for (std::size_t k = 0; k < basis_.nodes; ++k) {
    p.responsibility[k] *= p.share[k];
    excess[k] = p.responsibility[k] - weight * p.share[k];
  }
  const Vector pull = penalty(lambda) * coefficients;
  p.gradient = project(excess) - pull;
  p.objective = p.log_likelihood - 0.5 * coefficients.dot(pull);
  return p;
}

/// Σ w u uᵀ with u = Φᵀ r, r the posterior of a particle's grid point. The particles' scores are u − Φᵀp: the
/// difference is a direction of constant ln p, in which nothing changes.
Matrix PopulationSolver::score_squares(const std::vector<double>& share,
                                       std::span<const double> weights) const {
  const auto m = static_cast<Eigen::Index>(basis_.functions);
  std::vector<Matrix> parts(kChunks, Matrix::Zero(m, m));
  for_chunks(table_.size(), [&](std::size_t chunk, std::size_t begin, std::size_t end) {
    Matrix block(m, kBlock);
    Eigen::Index filled = 0;
    const auto flush = [&] {
      parts[chunk].selfadjointView<Eigen::Lower>().rankUpdate(block.leftCols(filled));
      filled = 0;
    };
    for (auto i = begin; i < end; ++i) {
      if (weights[i] == 0) continue;
      auto column = block.col(filled++);
      column.setZero();
      const double factor = std::sqrt(weights[i]) / mixed(table_, i, share.data());
      for (auto j = table_.begin[i]; j < table_.begin[i + 1]; ++j) {
        const std::size_t k = table_.node[j];
        const double r = factor * table_.likelihood[j] * share[k];
        for (auto s = k * basis_.support; s < (k + 1) * basis_.support; ++s)
          column[basis_.function[s]] += basis_.value[s] * r;
      }
      if (filled == kBlock) flush();
    }
    flush();
  });
  for (std::size_t chunk = 1; chunk < kChunks; ++chunk) parts[0] += parts[chunk];
  return parts[0].selfadjointView<Eigen::Lower>();
}

/// Goes along `step`, shortened until the objective rises by a fair part of what its slope promises; false if
/// it does not.
bool PopulationSolver::climb(const Vector& step, double gain, double lambda, std::span<const double> weights,
                             Vector& coefficients, Point& point) const {
  // A spline lies between its coefficients.
  double share = std::min(1.0, kLongest / std::max(1e-300, step.maxCoeff() - step.minCoeff()));
  for (int halving = 0; halving < kHalvings; ++halving, share *= 0.5) {
    const Vector next = coefficients + share * step;
    auto found = at(next, lambda, weights);
    if (found.objective < point.objective + 0.1 * share * gain) continue;
    coefficients = next, point = std::move(found);
    return true;
  }
  return false;
}

PenalisedFit PopulationSolver::maximise(double lambda, const Vector& start,
                                        std::span<const double> weights) const {
  PenalisedFit fit;
  fit.lambda = lambda;
  fit.coefficients =
      start.size() > 0 ? start : Vector(Vector::Zero(static_cast<Eigen::Index>(basis_.functions)));
  auto point = at(fit.coefficients, lambda, weights);
  double weight = 0;
  for (const double w : weights) weight += w;
  Matrix squares;
  for (int iteration = 0; iteration < kMostSteps; ++iteration) {
    squares = score_squares(point.share, weights);
    // The exact Hessian adds Φᵀ diag(W p − Σ w r) Φ.
    Matrix curvature = squares + penalty(lambda);
    for (std::size_t k = 0; k < basis_.nodes; ++k) {
      const double excess = weight * point.share[k] - point.responsibility[k];
      for (std::size_t a = 0; a < basis_.support; ++a)
        for (std::size_t b = 0; b < basis_.support; ++b) {
          const auto s = k * basis_.support;
          curvature(basis_.function[s + a], basis_.function[s + b]) +=
              excess * basis_.value[s + a] * basis_.value[s + b];
        }
    }
    fit.curvature.emplace(curvature);
    if (fit.curvature->info() != Eigen::Success) fit.curvature->compute(squares + penalty(lambda));
    const Vector step = fit.curvature->solve(point.gradient);
    const double gain = point.gradient.dot(step);
    if (gain < 2 * kClose || !climb(step, gain, lambda, weights, fit.coefficients, point)) break;
  }
  fit.log_likelihood = point.log_likelihood;
  fit.share = std::move(point.share);
  // One direction is that of constants.
  fit.degrees_of_freedom = fit.curvature->solve(squares).trace() - 1;
  return fit;
}

PenalisedFit PopulationSolver::reweigh(const PenalisedFit& near, std::span<const double> weights) const {
  PenalisedFit fit;
  fit.lambda = near.lambda, fit.degrees_of_freedom = near.degrees_of_freedom;
  fit.coefficients = near.coefficients;
  auto point = at(fit.coefficients, near.lambda, weights);
  QuasiNewton steps(*near.curvature);
  for (int iteration = 0; iteration < kMostSteps; ++iteration) {
    const Vector step = steps.step(point.gradient), before = fit.coefficients, gradient = point.gradient;
    const double gain = gradient.dot(step);
    if (gain < kNear || !climb(step, gain, near.lambda, weights, fit.coefficients, point)) break;
    steps.learn(fit.coefficients - before, gradient - point.gradient);
  }
  fit.log_likelihood = point.log_likelihood;
  fit.share = std::move(point.share);
  return fit;
}

double PopulationSolver::log_likelihood(std::span<const double> share,
                                        std::span<const double> weights) const {
  std::vector<double> sums(kChunks, 0.0);
  for_chunks(table_.size(), [&](std::size_t chunk, std::size_t begin, std::size_t end) {
    for (auto i = begin; i < end; ++i)
      if (weights[i] != 0) sums[chunk] += weights[i] * std::log(mixed(table_, i, share.data()));
  });
  double total = 0;
  for (const double s : sums) total += s;
  return total;
}

}  // namespace cryoscape::inference
