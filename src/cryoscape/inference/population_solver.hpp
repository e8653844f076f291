#pragma once
#include <Eigen/Dense>
#include <optional>
#include <span>
#include <vector>

#include "cryoscape/inference/population_table.hpp"
#include "cryoscape/inference/smooth_basis.hpp"

/// The numerics of population fits, for this room's sources.
namespace cryoscape::inference {

/// A density p ∝ exp(Σ c_j B_j), its penalised log likelihood's maximum at one strength λ, and what steps
/// near it need.
struct PenalisedFit {
  double lambda = 0;
  Eigen::VectorXd coefficients;
  std::vector<double> share;  ///< (K) probability of each grid point, sum 1
  double log_likelihood = 0;  ///< Σ w ln Σ_k A_ik share_k
  double degrees_of_freedom = 0;
  /// Minus the objective's Hessian, factored; of maximise() only.
  std::optional<Eigen::LLT<Eigen::MatrixXd>> curvature;
};

/// Maximises Σ_i w_i ln Σ_k A_ik p_k − ½ λ ∫((ln p)‴)² by Newton's method with the exact Hessian, falling
/// back to Fisher scoring where that is not definite.
class PopulationSolver {
 public:
  /// The table must outlive the solver.
  PopulationSolver(const PopulationTable& table, SmoothBasis basis);

  /// From `start` (empty: uniform) to the maximum, degrees of freedom tr(H⁻¹ J) included: H the objective's
  /// Hessian, J the sum of squares of the particles' scores (Konishi & Kitagawa, Biometrika 83, 875, 1996).
  PenalisedFit maximise(double lambda, const Eigen::VectorXd& start, std::span<const double> weights) const;

  /// The maximum for other weights near a known fit of the same strength: the steps use its curvature, and
  /// its degrees of freedom are kept. An order of magnitude faster than maximise().
  PenalisedFit reweigh(const PenalisedFit& near, std::span<const double> weights) const;

  /// Σ_i w_i ln Σ_k A_ik share_k.
  double log_likelihood(std::span<const double> share, std::span<const double> weights) const;

 private:
  struct Point;
  Point at(const Eigen::VectorXd& coefficients, double lambda, std::span<const double> weights) const;
  Eigen::MatrixXd score_squares(const std::vector<double>& share, std::span<const double> weights) const;
  Eigen::MatrixXd penalty(double lambda) const;
  Eigen::VectorXd project(const std::vector<double>& values) const;
  bool climb(const Eigen::VectorXd& step, double gain, double lambda, std::span<const double> weights,
             Eigen::VectorXd& coefficients, Point& point) const;

  const PopulationTable& table_;
  SmoothBasis basis_;
  Eigen::MatrixXd roughness_, spread_;
};

}  // namespace cryoscape::inference
