#pragma once
#include <span>
#include <vector>

#include "cryoscape/model/image_likelihood.hpp"
#include "cryoscape/model/spectral_tensors.hpp"
#include "cryoscape/particles/batch.hpp"
#include "cryoscape/projection/spec.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::model {

/// What to compute beside the score.
struct DeviceRequest {
  bool gradient = false, sums = false;
};

/// evaluate_likelihood's results as tensors of the batch's device.
struct DeviceScores {
  torch::Tensor log_likelihood, contrast, chi_square;  ///< (B)
  torch::Tensor coordinate_gradient;                   ///< (B, N, 3) of the score, on request
  std::vector<SpectralSums> sums;                      ///< groups × shells, on request
};

/// evaluate_likelihood for a batch on any device: the same formulas as tensor operations, about the
/// projection kernel of that device. Transforms dominate: with CTFs in the wide box eight of (2D)² and two of
/// D² per image, some 30 passes over 16 D² bytes.
class DeviceLikelihood {
 public:
  DeviceLikelihood(const projection::ProjectionSpec& projection, std::span<const float> amplitudes,
                   int max_shell, torch::Device device);

  /// Coordinates (B, N, 3) and batch (all but its indices) on the device.
  DeviceScores score(const SpectralModel& spectral, const LikelihoodOptions& options,
                     const torch::Tensor& coordinates, const particles::Batch& batch,
                     DeviceRequest request) const;

 private:
  torch::Tensor predict(const torch::Tensor& images, const particles::Batch& batch) const;
  torch::Tensor pull_back(torch::Tensor spectra, const particles::Batch& batch) const;
  std::vector<SpectralSums> sums(const SpectralModel& spectral, const particles::Batch& batch,
                                 const torch::Tensor& measured, const torch::Tensor& prediction,
                                 const torch::Tensor& mean, const torch::Tensor& mean_square) const;

  projection::ProjectionSpec projection_;
  torch::Tensor amplitudes_;
  SpectralTensors tensors_;
};

}  // namespace cryoscape::model
