#pragma once
#include <utility>
#include <vector>

#include "cryoscape/model/matrix_product.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::model {

/// Plain multilayer perceptron: linear layers with SiLU between them, none after the last. Sizes include
/// input and output. `precision` is that of the matrix products.
class MlpImpl : public torch::nn::Module {
 public:
  explicit MlpImpl(const std::vector<std::int64_t>& sizes, Precision precision = Precision::float32);
  torch::Tensor forward(const torch::Tensor& x);
  /// The output twice, for one pass: gradients by the first reach input and parameters, gradients by the
  /// second the parameters only.
  std::pair<torch::Tensor, torch::Tensor> forward_split(const torch::Tensor& x);
  /// The output (B, M) of x (B, K), and its exact derivatives (B, d, M) along tangents (B, d, K) of the
  /// input, in one forward pass. Not differentiable.
  std::pair<torch::Tensor, torch::Tensor> forward_tangent(const torch::Tensor& x,
                                                          const torch::Tensor& tangents) const;
  torch::nn::Linear last() const { return layers_.back(); }

 private:
  std::vector<torch::nn::Linear> layers_;
  Precision precision_;
};
TORCH_MODULE(Mlp);

/// Encoder `mlp` (CryoSTAR): flat features (B, F) → `outputs` numbers (B, outputs), hidden layers 512, 256,
/// 128, 64, 32.
Mlp make_mlp_encoder(std::int64_t features, std::int64_t outputs, Precision precision = Precision::float32);

/// Decoder `residue` (CryoSTAR): latents (B, d) → displacements of every bead (B, 3N), hidden layers 32, 64,
/// 128, 256, 512. The last layer starts at zero, so a run starts at the reference.
Mlp make_residue_decoder(std::int64_t latent_dim, std::int64_t beads);

}  // namespace cryoscape::model
