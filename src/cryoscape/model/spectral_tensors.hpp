#pragma once
#include <vector>

#include "cryoscape/model/spectral_model.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::model {

/// The half-complex coefficients of one grid and curves over its shells as tensors of one device, for the
/// parts of the model that run as tensor operations. K = D/2 + 1.
class SpectralTensors {
 public:
  SpectralTensors() = default;
  SpectralTensors(int box, int max_shell, torch::Device device);

  /// (D, K) float32: how many coefficients of the whole transform one stands for, 0 where it takes no part in
  /// likelihoods.
  const torch::Tensor& counted() const { return counted_; }

  /// Gain and noise power of all groups, (groups, shells) float32.
  torch::Tensor gain(const SpectralModel& spectral) const;
  torch::Tensor power(const SpectralModel& spectral) const;
  /// −½ Σ ln 2πS of each particle's group, (B) float64; groups (B) int64.
  torch::Tensor log_normaliser(const SpectralModel& spectral, const torch::Tensor& groups) const;

  /// A curve (groups, shells) at every coefficient of each particle, (B, D, K); 0 beyond the last shell.
  torch::Tensor spread(const torch::Tensor& curve, const torch::Tensor& groups) const;
  /// Σ over coefficients of `values` (B, D, K) times their counts, per shell: (B, shells).
  torch::Tensor by_shell(const torch::Tensor& values) const;

 private:
  int box_ = 0;
  torch::Device device_ = torch::kCPU;
  torch::Tensor counted_, shell_;  ///< (D, K); (D·K) int64, one beyond the last where there is none
  torch::Tensor members_;          ///< (D·K, shells) float32: the count of a coefficient in its shell
};

/// Re(u* v) and |u|² of complex tensors.
torch::Tensor real_part_of_product(const torch::Tensor& u, const torch::Tensor& v);
torch::Tensor square_modulus(const torch::Tensor& u);
/// 1 where a coefficient was measured, 0 where it is padding: exactly zero (image_likelihood.hpp).
torch::Tensor measured(const torch::Tensor& spectra);

}  // namespace cryoscape::model
