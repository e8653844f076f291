#pragma once
#include <functional>

#include "cryoscape/torch.hpp"

namespace cryoscape::inference {

/// ln p(x|z) and −ln p(z) around R points of latent space, float64. The likelihood's part is free of any
/// prior (model::expand_likelihood).
struct JointExpansion {
  torch::Tensor log_ratio;    ///< (R) ln p(x|z) − ln p(x|no particle)
  torch::Tensor score;        ///< (R, d) its gradient
  torch::Tensor information;  ///< (R, d, d) F, positive semidefinite, often singular
  torch::Tensor energy;       ///< (R) −ln p(z), up to a constant
  torch::Tensor slope;        ///< (R, d) its gradient
  torch::Tensor stiffness;    ///< (R, d, d) Λ, positive definite

  torch::Tensor value() const { return log_ratio - energy; }
  torch::Tensor gradient() const { return score - slope; }
  /// F + Λ: the precision of the posterior's Gaussian.
  torch::Tensor precision() const { return information + stiffness; }

  JointExpansion select(const torch::Tensor& rows) const;
  void replace(const torch::Tensor& rows, const JointExpansion& by);
};

/// Expands the rows (r) int64 of a problem at points (r, d).
using Expand = std::function<JointExpansion(const torch::Tensor& rows, const torch::Tensor& points)>;

struct AscentOptions {
  int iterations = 6;  ///< evaluations after the start's own
  /// Nats that a full step may still promise: a tenth of a standard deviation. A step that gains less than a
  /// tenth of that is the last one, too.
  double tolerance = 5e-3;
};

struct Ascent {
  torch::Tensor points;      ///< (R, d) float64, where the log joint is highest among those visited
  JointExpansion expansion;  ///< there
  torch::Tensor converged;   ///< (R) bool
  std::int64_t evaluations = 0;
};

/// Damped Gauss–Newton ascent (Levenberg 1944, Marquardt 1963) of ln p(x|z) + ln p(z) from starts (R, d),
/// every row with a damping of its own: (F + Λ + μ diag(F + Λ)) step = gradient. Steps that do not raise the
/// log joint are taken back; rows that have converged drop out.
Ascent ascend(const Expand& expand, const torch::Tensor& starts, const AscentOptions& options);

}  // namespace cryoscape::inference
