#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "cryoscape/landscape/mixture.hpp"

namespace cryoscape::landscape {

/// A density of latents and what they decode to. Both take many latents (d, M) at once.
struct LatentModel {
  std::function<Eigen::VectorXd(const Points&)> energy;  ///< −ln p (M), but for a constant
  std::function<Eigen::MatrixXf(const Points&)> decode;  ///< (3N, M) Å
};

/// The energy of conformations x(z) on the manifold that a decoder spans,
///   U = −ln p(a) + ½ ln det(JᵀJ), J = ∂x/∂a in Å per √N, kT,
/// which does not change with how the decoder stretches the latents. J is taken after projecting out rigid
/// motion. `a` are the active coordinates: latents are whitened by the density's covariance, and of the
/// eigenvectors of E_p[JᵀJ] those count that move the molecule by more than 0.05 Å per standard deviation,
/// scaled to Å. The density is marginalised over the others, which are set to their mean given `a`:
/// p(a) = ∫ p(a, b) db by importance sampling with the conditional density of b of a Gaussian mixture fitted
/// to the samples, so that it is exact where the prior is such a mixture. The draws are the same for every
/// `a`, so U is smooth. JᵀJ gets (0.01 Å per standard deviation)² more in each direction: at a fold of the
/// manifold U would else have no lower bound. That is below 0.05 kT where all active directions move the
/// molecule by 0.03 Å per standard deviation or more.
class ConformationEnergy {
 public:
  /// With samples (d, M) of the density. Throws Error if no direction is active, or for fewer samples than
  /// 10 d.
  ConformationEnergy(LatentModel model, const Points& samples, std::uint64_t seed);

  /// Number m of active directions.
  Eigen::Index active() const { return basis_.cols(); }
  /// Å per standard deviation, of every direction (d), largest first; the first m are active.
  const Eigen::VectorXd& motion() const { return motion_; }
  /// Effective share of the importance draws, the mean over samples; 1 without idle directions.
  double effective_share() const { return effective_share_; }

  /// Active coordinates (m, M) of latents (d, M), and latents of coordinates: idle ones at their mean.
  Points coordinates(const Points& latents) const;
  Points latents(const Points& coordinates) const;
  /// ∂a/∂z (m, d): what coordinates are of latents but for a constant.
  Eigen::MatrixXd directions() const { return scale_.asDiagonal() * basis_.transpose() * unit_; }
  /// Conformations (3N, M) as the decoder places them.
  Eigen::MatrixXf structures(const Points& coordinates) const { return model_.decode(latents(coordinates)); }
  /// U (M), but for a constant.
  Eigen::VectorXd energy(const Points& coordinates) const;

 private:
  Eigen::VectorXd marginal_energy(const Points& coordinates, double* effective) const;
  Eigen::VectorXd volume_term(const Points& coordinates) const;
  void find_active(const Points& unit);
  void fit_idle(const Points& unit, std::uint64_t seed);

  LatentModel model_;
  Eigen::VectorXd mean_, motion_;
  Eigen::MatrixXd root_, unit_;   ///< L and L⁻¹: z = mean + L u
  Eigen::MatrixXd basis_, idle_;  ///< (d, m) and (d, d − m), orthonormal, in u
  Eigen::VectorXd scale_;         ///< (m) Å per unit of u

  /// A Gaussian of the mixture of (a, b), with b given a: b = mean + slope (a − centre) + root ε.
  struct Conditional {
    double log_weight = 0;
    Eigen::VectorXd centre, mean;
    Eigen::MatrixXd precision, slope, root;
    double log_norm = 0;  ///< −½ ln det(2πΣ_aa)
    double log_root = 0;  ///< ln det root
  };
  /// ln of the shares (K, M) of the Gaussians at unscaled active coordinates.
  Eigen::MatrixXd log_shares(const Points& a) const;

  std::vector<Conditional> conditionals_;
  Points noise_;  ///< (d − m, S)
  double effective_share_ = 1;
};

}  // namespace cryoscape::landscape
