#pragma once
#include <Eigen/Core>
#include <cstdint>
#include <vector>

namespace cryoscape::landscape {

/// Points (d, M), one per column.
using Points = Eigen::MatrixXd;

/// One Gaussian of a mixture.
struct Component {
  double weight = 1;
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;
};
using Mixture = std::vector<Component>;

/// A mixture with its factorisations, ready to be evaluated.
class MixtureDensity {
 public:
  explicit MixtureDensity(const Mixture& mixture);

  /// ln(w_k N(x; μ_k, Σ_k)) of points (d, M) as (K, M).
  Eigen::MatrixXd log_joint(const Eigen::Ref<const Points>& points) const;
  double log_density(const Eigen::VectorXd& x) const;
  /// Shares (K) of the components in the density at x.
  Eigen::VectorXd responsibilities(const Eigen::VectorXd& x) const;
  std::size_t size() const { return offset_.size(); }
  const Eigen::MatrixXd& precision(std::size_t k) const { return precision_[k]; }
  const Eigen::VectorXd& mean(std::size_t k) const { return mean_[k]; }

 private:
  std::vector<Eigen::VectorXd> mean_;
  std::vector<Eigen::MatrixXd> precision_, root_;  ///< Σ⁻¹ and L⁻¹ with Σ = L Lᵀ
  std::vector<double> offset_;                     ///< ln w − ½ ln det(2πΣ)
};

/// What keeps covariances from collapsing onto a few points: an inverse-Wishart prior as by Fraley and
/// Raftery (J. Classif. 2007), `strength` pseudo-points of covariance `scale`.
struct CovariancePrior {
  double strength = 0;
  Eigen::MatrixXd scale;
};
/// d + 2 pseudo-points of the points' covariance, divided by K^(2/d).
CovariancePrior covariance_prior(const Points& points, std::size_t components);

/// A fitted mixture and its mean log-likelihood per point.
struct Fit {
  Mixture mixture;
  double log_likelihood = 0;
};

/// When expectation maximisation ends: after `iterations`, or once the mean log-likelihood gains less than
/// `tolerance`.
struct EmLimits {
  int iterations = 300;
  double tolerance = 1e-6;
};

/// Expectation maximisation from a start, on points with weights (M; empty: all 1). The result does not
/// depend on the number of threads.
Fit expectation_maximisation(const Points& points, const Eigen::VectorXd& weights, Mixture start,
                             const CovariancePrior& prior, const EmLimits& limits);

/// The best mixture of K Gaussians found from k-means starts and, where a mixture of K − 1 is given, from
/// splits of its components. Deterministic for a seed.
Fit fit_mixture(const Points& points, std::size_t components, const Mixture* smaller, std::uint64_t seed);

/// Free parameters of a mixture of K Gaussians in d dimensions.
double parameter_count(std::size_t components, std::size_t dimension);

}  // namespace cryoscape::landscape
