#pragma once
#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// An affine map u = (z − centre) · to_unit under which the aggregate posterior has mean 0 and covariance 1,
/// along its principal axes, the widest first. The identity until it is fitted.
class Whitening : public torch::nn::Module {
 public:
  explicit Whitening(std::int64_t dim);
  /// From posterior means and standard deviations (M, d), M ≥ 1. Directions without any variance get a small
  /// one.
  void fit(const torch::Tensor& means, const torch::Tensor& deviations);
  torch::Tensor unit(const torch::Tensor& z) const { return (z - centre_).mm(to_unit_); }
  torch::Tensor latent(const torch::Tensor& u) const { return centre_ + u.mm(from_unit_); }
  /// Standard deviations (M, d) of u for independent ones of z.
  torch::Tensor unit_deviation(const torch::Tensor& deviation) const;
  /// ln |∂z/∂u|, a scalar.
  torch::Tensor log_volume() const { return log_volume_; }

 private:
  torch::Tensor centre_, to_unit_, from_unit_, log_volume_;
};

}  // namespace cryoscape::latent
