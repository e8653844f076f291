#include "cryoscape/inference/modes.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace cryoscape::inference {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

constexpr double kOneMode = 2;  ///< standard deviations

Eigen::Map<const Vector> point(const Summits& s, std::size_t k) {
  return {s.points.data() + k * s.dim, static_cast<Eigen::Index>(s.dim)};
}

Eigen::Map<const Matrix> precision(const Summits& s, std::size_t k) {
  const auto d = static_cast<Eigen::Index>(s.dim);
  return {s.precisions.data() + k * s.dim * s.dim, d, d};
}

bool one_mode(const Summits& s, std::size_t a, std::size_t b) {
  const Vector apart = point(s, a) - point(s, b);
  const double square = std::min(apart.dot(precision(s, a) * apart), apart.dot(precision(s, b) * apart));
  return square < kOneMode * kOneMode;
}

/// Summits of distinct modes, the highest first.
std::vector<std::size_t> distinct(const Summits& s) {
  std::vector<std::size_t> order, kept;
  for (std::size_t k = 0; k < s.size(); ++k)
    if (std::isfinite(s.values[k])) order.push_back(k);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return s.values[a] > s.values[b]; });
  for (const auto k : order)
    if (std::none_of(kept.begin(), kept.end(), [&](std::size_t other) { return one_mode(s, k, other); }))
      kept.push_back(k);
  return kept;
}

}  // namespace

PosteriorModes posterior_modes(const Summits& summits) {
  const auto d = static_cast<Eigen::Index>(summits.dim);
  const auto kept = distinct(summits);
  if (kept.empty()) throw std::logic_error("posterior_modes: no finite summit");
  std::vector<double> log_mass;
  std::vector<Matrix> covariances;
  for (const auto k : kept) {
    const Eigen::LLT<Matrix> root(precision(summits, k));
    const double log_root_determinant = root.matrixL().nestedExpression().diagonal().array().log().sum();
    log_mass.push_back(summits.values[k] - log_root_determinant);
    covariances.push_back(root.solve(Matrix::Identity(d, d)));
  }
  const double highest = *std::max_element(log_mass.begin(), log_mass.end());
  double sum = 0;
  for (auto& m : log_mass) m = std::exp(m - highest), sum += m;
  std::vector<std::size_t> order(kept.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return log_mass[a] > log_mass[b]; });

  PosteriorModes out;
  Vector mean = Vector::Zero(d);
  for (const auto i : order) {
    out.summit.push_back(kept[i]);
    out.mass.push_back(log_mass[i] / sum);
    mean += out.mass.back() * point(summits, kept[i]);
  }
  Matrix covariance = Matrix::Zero(d, d);
  for (std::size_t m = 0; m < order.size(); ++m) {
    const Vector apart = point(summits, out.summit[m]) - mean;
    covariance += out.mass[m] * (covariances[order[m]] + apart * apart.transpose());
  }
  out.mean.assign(mean.data(), mean.data() + d);
  out.covariance.assign(covariance.data(), covariance.data() + d * d);
  return out;
}

}  // namespace cryoscape::inference
