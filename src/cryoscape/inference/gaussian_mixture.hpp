#pragma once
#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <vector>

#include "cryoscape/util/random.hpp"

namespace cryoscape::inference {

/// One Gaussian of a mixture over latents.
struct GaussianComponent {
  double weight = 1;
  Eigen::VectorXd mean;        ///< (d)
  Eigen::MatrixXd covariance;  ///< (d, d), positive definite
};
using GaussianMixture = std::vector<GaussianComponent>;

/// Mean and covariance of a mixture as a whole.
GaussianComponent moments_of(const GaussianMixture& mixture);

/// The mixture with a share of a Gaussian of its own mean and `widening` times its covariance: a density
/// under which others on the same latents have bounded ratios.
GaussianMixture broadened(const GaussianMixture& mixture, double share, double widening);

/// The mixture of y = A z, A (m, d) of rank m: a marginal density where m is less than d.
GaussianMixture mapped(const GaussianMixture& mixture, const Eigen::MatrixXd& map);

/// The mixture of z that has `marginal` as its mixture of A z and, given A z, what `mixture` has: component
/// by component. A fit to likelihoods of A z leaves exactly these as they are.
GaussianMixture lifted(const GaussianMixture& mixture, const Eigen::MatrixXd& map,
                       const GaussianMixture& marginal);

/// A component's factors, ready to be evaluated.
struct PreparedComponent {
  double log_weight = 0;
  Eigen::VectorXd mean;
  Eigen::MatrixXd precision;
  Eigen::MatrixXd root;      ///< L with Σ = L Lᵀ
  double log_det_precision;  ///< ln |Σ⁻¹|
};
/// Throws Error for a covariance that is not positive definite.
std::vector<PreparedComponent> prepared(const GaussianMixture& mixture);

/// ln Σ_k w_k N(z; μ_k, Σ_k) at z (d).
double log_density(const std::vector<PreparedComponent>& mixture, const Eigen::VectorXd& z);

/// A draw.
Eigen::VectorXd draw(const std::vector<PreparedComponent>& mixture, Philox& random);

/// ln Σ e^{x}; −∞ of nothing.
double log_sum_exp(const std::vector<double>& x);

}  // namespace cryoscape::inference
