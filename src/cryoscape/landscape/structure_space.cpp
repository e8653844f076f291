#include "cryoscape/landscape/structure_space.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::landscape {
namespace {

constexpr double kLeastDeviation = 0.05;  // Å
constexpr Eigen::Index kMostComponents = 10;
constexpr Eigen::Index kOversampling = 10;
constexpr int kSuperpositions = 3, kSubspaceIterations = 6;

using Rows = Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

Eigen::MatrixXf orthonormal(const Eigen::MatrixXf& a) {
  const Eigen::MatrixXd d = a.cast<double>();
  return (Eigen::HouseholderQR<Eigen::MatrixXd>(d).householderQ() *
          Eigen::MatrixXd::Identity(a.rows(), a.cols()))
      .cast<float>();
}

/// A basis (3N, p) that holds the leading right singular vectors of x.
Eigen::MatrixXf leading_subspace(const Rows& x, Eigen::Index p) {
  Philox random(1);
  Eigen::MatrixXf q(x.cols(), p);
  for (float& value : q.reshaped()) value = static_cast<float>(random.normal());
  for (int i = 0; i < kSubspaceIterations; ++i) {
    const Eigen::MatrixXf y = x * orthonormal(q);
    q.noalias() = x.transpose() * y;
  }
  return orthonormal(q);
}

/// The sign of an axis is free: its largest element is made positive.
void fix_sign(Eigen::Ref<Eigen::VectorXf> axis) {
  Eigen::Index largest = 0;
  axis.cwiseAbs().maxCoeff(&largest);
  if (axis[largest] < 0) axis = -axis;
}

}  // namespace

void superpose_all(std::span<float> structures, std::span<const float> target) {
  const std::size_t length = target.size();
  parallel_for(structures.size() / length, [&](std::size_t m) {
    const auto own = structures.subspan(m * length, length);
    const auto moved = geometry::transformed(geometry::superpose(own, target), own);
    std::copy(moved.begin(), moved.end(), own.begin());
  });
}

std::vector<float> mean_structure(std::span<const float> structures, std::size_t length) {
  std::vector<double> sum(length, 0.0);
  for (std::size_t i = 0; i < structures.size(); ++i) sum[i % length] += structures[i];
  const double count = static_cast<double>(structures.size() / length);
  std::vector<float> mean(length);
  for (std::size_t i = 0; i < length; ++i) mean[i] = static_cast<float>(sum[i] / count);
  return mean;
}

StructureSpace fit_structure_space(std::vector<float> structures, std::span<const float> reference) {
  const std::size_t length = reference.size(), count = structures.size() / length;
  StructureSpace space;
  space.mean.assign(reference.begin(), reference.end());
  for (int i = 0; i < kSuperpositions; ++i) {
    superpose_all(structures, space.mean);
    space.mean = mean_structure(structures, length);
    superpose_all(space.mean, reference);
  }
  superpose_all(structures, space.mean);
  space.mean = mean_structure(structures, length);
  Rows x(structures.data(), static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(length));
  x.rowwise() -= Eigen::Map<const Eigen::RowVectorXf>(space.mean.data(), static_cast<Eigen::Index>(length));

  const auto p = std::min({kMostComponents + kOversampling, x.rows(), x.cols()});
  const Eigen::MatrixXf basis = leading_subspace(x, p);
  const Eigen::MatrixXd scores = (x * basis).cast<double>();
  const double per_bead = static_cast<double>(count) * static_cast<double>(length / 3);  // M·N
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(scores.transpose() * scores / per_bead);
  const double total = x.cast<double>().squaredNorm() / per_bead;
  for (Eigen::Index k = 0; k < std::min(p, kMostComponents); ++k) {
    const double variance = std::max(0.0, eigen.eigenvalues()[p - 1 - k]);
    if (k > 0 && std::sqrt(variance) <= kLeastDeviation) break;
    space.standard_deviation.push_back(std::sqrt(variance));
    space.share.push_back(total > 0 ? variance / total : 0.0);
  }
  const auto k = static_cast<Eigen::Index>(space.size());
  space.axes = basis * eigen.eigenvectors().rightCols(k).rowwise().reverse().cast<float>();
  for (Eigen::Index i = 0; i < k; ++i) fix_sign(space.axes.col(i));
  return space;
}

std::vector<float> project(const StructureSpace& space, std::span<const float> structures) {
  const std::size_t length = space.mean.size(), count = structures.size() / length, k = space.size();
  const Eigen::Map<const Eigen::VectorXf> mean(space.mean.data(), static_cast<Eigen::Index>(length));
  const float scale = 1 / std::sqrt(static_cast<float>(length / 3));
  std::vector<float> out(count * k);
  parallel_for(count, [&](std::size_t m) {
    const auto own = structures.subspan(m * length, length);
    const auto moved = geometry::transformed(geometry::superpose(own, space.mean), own);
    const Eigen::Map<const Eigen::VectorXf> x(moved.data(), static_cast<Eigen::Index>(length));
    Eigen::Map<Eigen::VectorXf>(out.data() + m * k, static_cast<Eigen::Index>(k)) =
        scale * (space.axes.transpose() * (x - mean));
  });
  return out;
}

}  // namespace cryoscape::landscape
