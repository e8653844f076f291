#include "cryoscape/inference/informed.hpp"

#include <Eigen/Eigenvalues>

#include "cryoscape/util/parallel.hpp"

namespace cryoscape::inference {
namespace {

constexpr double kLeastInformation = 0.1;  ///< mean per entry, in inverse variances of the density

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace

Expansions informed_part(Expansions e, const GaussianComponent& density) {
  const auto d = static_cast<Eigen::Index>(e.dim);
  const auto information = [&](std::size_t m) {
    return Eigen::Map<Matrix>(e.information.data() + m * e.dim * e.dim, d, d);
  };
  Eigen::MatrixXd mean = Eigen::MatrixXd::Zero(d, d);
  for (std::size_t m = 0; m < e.size(); ++m) mean += information(m).cast<double>();
  if (e.size() > 0) mean /= static_cast<double>(e.size());

  // In u = L⁻¹z, where the density has unit covariance.
  const Eigen::MatrixXd root = density.covariance.llt().matrixL();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(root.transpose() * mean * root);
  Eigen::MatrixXd kept = Eigen::MatrixXd::Zero(d, d);
  for (Eigen::Index k = 0; k < d; ++k)
    if (solver.eigenvalues()[k] >= kLeastInformation)
      kept += solver.eigenvectors().col(k) * solver.eigenvectors().col(k).transpose();
  // Projects gradients by z: L⁻ᵀ P Lᵀ.
  const Eigen::MatrixXd projector =
      root.transpose().triangularView<Eigen::Upper>().solve(kept * root.transpose());

  parallel_for(e.size(), [&](std::size_t m) {
    Eigen::Map<Eigen::VectorXf> score(e.score.data() + m * e.dim, d);
    score = (projector * score.cast<double>()).cast<float>().eval();
    information(m) = (projector * information(m).cast<double>() * projector.transpose()).cast<float>().eval();
  });
  return e;
}

}  // namespace cryoscape::inference
