#include "cryoscape/geometry/superposition.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace cryoscape::geometry {
namespace {

constexpr double kLeastTurn = 1e-10;

Vec3 centroid(std::span<const float> points) {
  Vec3 sum{};
  for (std::size_t i = 0; i < points.size(); ++i) sum[i % 3] += points[i];
  for (double& s : sum) s /= static_cast<double>(points.size() / 3);
  return sum;
}

void check(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size() || a.empty() || a.size() % 3)
    throw std::invalid_argument("superposition: sizes differ");
}

/// Cross-covariance and squared norms about the centroids.
struct Moments {
  Vec3 centre_a, centre_b;
  Eigen::Matrix3d covariance = Eigen::Matrix3d::Zero();  ///< Σ b aᵀ
  double square = 0;                                     ///< Σ |a|² + |b|²
};

Moments moments(std::span<const float> a, std::span<const float> b) {
  Moments m{centroid(a), centroid(b)};
  for (std::size_t n = 0; n < a.size(); n += 3) {
    const Eigen::Vector3d x(a[n] - m.centre_a[0], a[n + 1] - m.centre_a[1], a[n + 2] - m.centre_a[2]);
    const Eigen::Vector3d y(b[n] - m.centre_b[0], b[n + 1] - m.centre_b[1], b[n + 2] - m.centre_b[2]);
    m.covariance += y * x.transpose();
    m.square += x.squaredNorm() + y.squaredNorm();
  }
  return m;
}

}  // namespace

Rigid superpose(std::span<const float> moving, std::span<const float> target) {
  check(moving, target);
  Moments m = moments(moving, target);
  // Points on a line leave a turn about it free: this far below any real covariance, no turn is preferred.
  m.covariance += kLeastTurn * m.square * Eigen::Matrix3d::Identity();
  const Eigen::JacobiSVD<Eigen::Matrix3d> svd(m.covariance, Eigen::ComputeFullU | Eigen::ComputeFullV);
  const double sign = (svd.matrixU() * svd.matrixV().transpose()).determinant() < 0 ? -1 : 1;
  const Eigen::Matrix3d r =
      svd.matrixU() * Eigen::Vector3d(1, 1, sign).asDiagonal() * svd.matrixV().transpose();
  Rigid motion;
  for (int i = 0; i < 9; ++i) motion.rotation[i] = r(i / 3, i % 3);
  const Vec3 moved = rotated(motion.rotation, m.centre_a);
  for (int k = 0; k < 3; ++k) motion.translation[k] = m.centre_b[k] - moved[k];
  return motion;
}

double superposed_rmsd(std::span<const float> a, std::span<const float> b) {
  check(a, b);
  const Moments m = moments(a, b);
  const Eigen::JacobiSVD<Eigen::Matrix3d> svd(m.covariance, Eigen::ComputeFullU | Eigen::ComputeFullV);
  const auto s = svd.singularValues();
  const double sign = (svd.matrixU() * svd.matrixV().transpose()).determinant() < 0 ? -1 : 1;
  const double residual = m.square - 2 * (s[0] + s[1] + sign * s[2]);
  return std::sqrt(std::max(0.0, residual) / static_cast<double>(a.size() / 3));
}

double rmsd(std::span<const float> a, std::span<const float> b) {
  check(a, b);
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * static_cast<double>(a[i] - b[i]);
  return std::sqrt(sum / static_cast<double>(a.size() / 3));
}

std::vector<float> transformed(const Rigid& motion, std::span<const float> points) {
  std::vector<float> out(points.size());
  for (std::size_t n = 0; n + 2 < points.size(); n += 3) {
    const Vec3 x = rotated(motion.rotation, {points[n], points[n + 1], points[n + 2]});
    for (int k = 0; k < 3; ++k) out[n + k] = static_cast<float>(x[k] + motion.translation[k]);
  }
  return out;
}

}  // namespace cryoscape::geometry
