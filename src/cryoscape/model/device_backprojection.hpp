#pragma once
#include "cryoscape/model/backprojection.hpp"
#include "cryoscape/model/spectral_tensors.hpp"
#include "cryoscape/particles/batch.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::model {

/// backproject_features for a batch on any device, as tensor operations.
class DeviceBackprojection {
 public:
  DeviceBackprojection(const FeatureLattice& lattice, const projection::ProjectionSpec& projection,
                       int max_shell, torch::Device device);

  /// Features (B, V), scaled to unit variance for pure noise; the batch (all but its indices) on the device.
  torch::Tensor features(const SpectralModel& spectral, const particles::Batch& batch) const;

 private:
  torch::Tensor read_at_points(const torch::Tensor& images, const particles::Batch& batch) const;

  projection::ProjectionSpec projection_;
  SpectralTensors tensors_;
  torch::Tensor points_;  ///< (V, 3) Å
  torch::Tensor bead_;    ///< (D, K) Fourier transform of a bead, 0 where a coefficient takes no part
};

}  // namespace cryoscape::model
