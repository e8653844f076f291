#include "cryoscape/inference/mixture_extrapolation.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

namespace cryoscape::inference {
namespace {

constexpr double kLongest = 100;  ///< of a step, in first steps: beyond it likelihoods mostly fall

/// A symmetric matrix with a function of its eigenvalues.
template <class Function>
Eigen::MatrixXd with_eigenvalues(const Eigen::MatrixXd& matrix, const Function& function) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(matrix);
  return eigen.eigenvectors() * eigen.eigenvalues().unaryExpr(function).asDiagonal() *
         eigen.eigenvectors().transpose();
}

/// One column per component: ln weight, mean, ln covariance.
Eigen::MatrixXd parameters_of(const GaussianMixture& mixture) {
  const auto d = mixture.at(0).mean.size();
  Eigen::MatrixXd out(1 + d + d * d, static_cast<Eigen::Index>(mixture.size()));
  for (std::size_t k = 0; k < mixture.size(); ++k) {
    const Eigen::MatrixXd log =
        with_eigenvalues(mixture[k].covariance, [](double x) { return std::log(std::max(x, 1e-300)); });
    out.col(static_cast<Eigen::Index>(k)) << std::log(mixture[k].weight), mixture[k].mean, log.reshaped();
  }
  return out;
}

GaussianMixture mixture_of(const Eigen::MatrixXd& parameters, Eigen::Index d) {
  GaussianMixture out;
  double whole = 0;
  for (Eigen::Index k = 0; k < parameters.cols(); ++k) {
    const auto p = parameters.col(k);
    out.push_back({std::exp(p[0]), p.segment(1, d),
                   with_eigenvalues(p.tail(d * d).reshaped(d, d), [](double x) { return std::exp(x); })});
    whole += out.back().weight;
  }
  for (auto& c : out) c.weight /= whole;
  return out;
}

}  // namespace

GaussianMixture extrapolated(const GaussianMixture& start, const GaussianMixture& first,
                             const GaussianMixture& second) {
  const Eigen::MatrixXd from = parameters_of(start), to = parameters_of(first);
  const Eigen::MatrixXd step = to - from, bend = parameters_of(second) - to - step;
  if (bend.norm() == 0) return second;
  const double length = std::clamp(step.norm() / bend.norm(), 1.0, kLongest);
  return mixture_of(from + 2 * length * step + length * length * bend, start.at(0).mean.size());
}

}  // namespace cryoscape::inference
