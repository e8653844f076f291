#include "cryoscape/inference/informed.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>

#include "cryoscape/util/parallel.hpp"

namespace cryoscape::inference {
namespace {

constexpr double kLeastInformation = 0.1;  ///< mean per entry, in inverse variances of the density
constexpr double kRounding = 1e-6;         ///< of the largest information: what float32 makes of 0

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::MatrixXd information_of(const Expansions& e, std::size_t m) {
  const auto d = static_cast<Eigen::Index>(e.dim);
  return Eigen::Map<const Matrix>(e.information.data() + m * e.dim * e.dim, d, d).cast<double>();
}

Eigen::MatrixXd mean_information(const Expansions& e) {
  const auto d = static_cast<Eigen::Index>(e.dim);
  Eigen::MatrixXd mean = Eigen::MatrixXd::Zero(d, d);
  for (std::size_t m = 0; m < e.size(); ++m) mean += information_of(e, m);
  return mean / static_cast<double>(std::max<std::size_t>(1, e.size()));
}

}  // namespace

Expansions informed_part(Expansions e, const GaussianComponent& density) {
  const auto d = static_cast<Eigen::Index>(e.dim);
  // In u = L⁻¹z, where the density has unit covariance.
  const Eigen::MatrixXd root = density.covariance.llt().matrixL();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(root.transpose() * mean_information(e) * root);
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
    Eigen::Map<Matrix>(e.information.data() + m * e.dim * e.dim, d, d) =
        (projector * information_of(e, m) * projector.transpose()).cast<float>();
  });
  return e;
}

Eigen::MatrixXd informed_directions(const Expansions& e) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(mean_information(e));
  const auto& values = solver.eigenvalues();
  const auto known = (values.array() > kRounding * values[values.size() - 1]).count();
  return solver.eigenvectors().rightCols(std::max<Eigen::Index>(1, known)).transpose();
}

Expansions along(const Expansions& e, const Eigen::MatrixXd& directions) {
  const auto d = static_cast<Eigen::Index>(e.dim), r = directions.rows();
  Expansions out{static_cast<std::size_t>(r), e.particle, {}, {}, {}, e.log_ratio, e.mass};
  const auto width = static_cast<std::size_t>(r);
  out.point.resize(e.size() * width), out.score.resize(e.size() * width);
  out.information.resize(e.size() * width * width);
  const auto map = [&](const std::vector<float>& from, std::vector<float>& to, std::size_t m) {
    Eigen::Map<Eigen::VectorXf>(to.data() + m * width, r) =
        (directions * Eigen::Map<const Eigen::VectorXf>(from.data() + m * e.dim, d).cast<double>())
            .cast<float>();
  };
  parallel_for(e.size(), [&](std::size_t m) {
    map(e.point, out.point, m), map(e.score, out.score, m);
    Eigen::Map<Matrix>(out.information.data() + m * width * width, r, r) =
        (directions * information_of(e, m) * directions.transpose()).cast<float>();
  });
  return out;
}

}  // namespace cryoscape::inference
