#include "cryoscape/density/proximity.hpp"

#include <Eigen/Dense>
#include <cmath>
#include <limits>

namespace cryoscape::density {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A root L of a covariance, Σ = L Lᵀ; negative eigenvalues, which rounding leaves, count as none.
Eigen::MatrixXd root_of(std::span<const float> covariance, Eigen::Index dim) {
  const Eigen::MatrixXd sigma = Eigen::Map<const RowMajor>(covariance.data(), dim, dim).cast<double>();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(sigma);
  return solver.eigenvectors() * solver.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal();
}

}  // namespace

Proximity::Proximity(std::size_t particles, std::size_t targets, std::size_t dim)
    : particles_(particles),
      targets_(targets),
      dim_(dim),
      spread_(particles * dim),
      square_(particles * targets, std::numeric_limits<float>::infinity()),
      pull_(particles * targets * dim) {}

void Proximity::set(std::size_t particle, std::span<const float> conformation,
                    std::span<const float> jacobian, std::span<const float> covariance,
                    std::span<const std::vector<float>> targets) {
  const auto d = static_cast<Eigen::Index>(dim_), length = static_cast<Eigen::Index>(conformation.size());
  const double beads = static_cast<double>(length) / 3;
  const Eigen::MatrixXd by_latent = Eigen::Map<const RowMajor>(jacobian.data(), d, length).cast<double>();
  const Eigen::MatrixXd root = root_of(covariance, d);
  const Eigen::MatrixXd moves = root.transpose() * by_latent;  // (d, 3N)
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(moves * moves.transpose() / beads);
  for (Eigen::Index j = 0; j < d; ++j)
    spread_[particle * dim_ + static_cast<std::size_t>(j)] =
        static_cast<float>(std::max(0.0, solver.eigenvalues()[j]));
  const Eigen::Map<const Eigen::VectorXf> x(conformation.data(), length);
  for (std::size_t t = 0; t < targets_; ++t) {
    const Eigen::VectorXd away =
        (x - Eigen::Map<const Eigen::VectorXf>(targets[t].data(), length)).cast<double>();
    const Eigen::VectorXd pull = solver.eigenvectors().transpose() * (moves * away) / beads;
    square_[particle * targets_ + t] = static_cast<float>(away.squaredNorm() / beads);
    for (Eigen::Index j = 0; j < d; ++j)
      pull_[(particle * targets_ + t) * dim_ + static_cast<std::size_t>(j)] = static_cast<float>(pull[j]);
  }
}

double Proximity::weight(std::size_t particle, std::size_t target, double bandwidth) const {
  const double h2 = bandwidth * bandwidth, square = square_[particle * targets_ + target];
  if (!std::isfinite(square)) return 0;
  const float* spread = spread_.data() + particle * dim_;
  const float* pull = pull_.data() + (particle * targets_ + target) * dim_;
  double log_weight = -0.5 * square / h2;
  for (std::size_t j = 0; j < dim_; ++j)
    log_weight +=
        0.5 * double{pull[j]} * pull[j] / (h2 * (h2 + spread[j])) - 0.5 * std::log1p(spread[j] / h2);
  return std::exp(log_weight);
}

double Proximity::distance(std::size_t particle, std::size_t target) const {
  return std::sqrt(square_[particle * targets_ + target]);
}

double effective_number(std::span<const double> weights) {
  double sum = 0, squares = 0;
  for (const double w : weights) sum += w, squares += w * w;
  return squares > 0 ? sum * sum / squares : 0;
}

}  // namespace cryoscape::density
