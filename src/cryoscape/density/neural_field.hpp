#pragma once
#include <cstdint>

#include "cryoscape/model/networks.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::density {

/// Size of a NeuralField.
struct FieldShape {
  int latent_dim = 1;
  int features = 0;  ///< points of the encoding
  int hidden = 0;    ///< width of a layer
  int layers = 0;    ///< hidden ones
};

/// Fourier coefficients as a network of frequency and latents, on the half space of turn_to_half_space. A
/// frequency k enters as cos and sin of 2π k·x_j at fixed points x_j: the transforms of single points, of
/// which a density that lies there is a sum (random Fourier features, Tancik et al., NeurIPS 2020, with the
/// points' distribution as the kernel's spectrum). So the network varies with k as such a density's transform
/// does.
class NeuralFieldImpl : public torch::nn::Module {
 public:
  /// Random weights from `seed`; the output starts at 0, no density. The points are all 0 at first.
  NeuralFieldImpl(const FieldShape& shape, std::uint64_t seed);

  /// Sets the points x_j (features, 3) as parts of the box.
  void set_points(const torch::Tensor& points);

  /// k (N, 3) in cycles per box, z (N, d) of mean 0 and variance 1 → real and imaginary parts (N, 2).
  torch::Tensor forward(const torch::Tensor& k, const torch::Tensor& z);

 private:
  torch::Tensor points_;  ///< (3, features), 2π x_j
  double latent_gain_;
  model::Mlp network_{nullptr};
};
TORCH_MODULE(NeuralField);

/// Σ weight |o|² − 2 Re(conj(o) · sample) over coefficients o (N, 2) with samples (N, 3) as FrequencyBatch
/// has them: Σ weight |o − value|² less a constant.
torch::Tensor field_loss(const torch::Tensor& o, const torch::Tensor& samples);

}  // namespace cryoscape::density
