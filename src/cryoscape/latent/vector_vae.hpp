#pragma once
#include "cryoscape/latent/prior.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// A small variational autoencoder of vectors x (B, n) with a given prior: perceptrons of two hidden layers
/// as encoder and decoder, Gaussian noise of one learned width per column.
class VectorVae : public torch::nn::Module {
 public:
  VectorVae(std::int64_t columns, std::shared_ptr<Prior> prior, std::uint64_t seed);

  Posterior encode(const torch::Tensor& x);
  /// ln p(x|z) (B) in nats.
  torch::Tensor log_likelihood(const torch::Tensor& x, const torch::Tensor& z);
  /// Parameters of encoder, decoder and noise.
  std::vector<torch::Tensor> network_parameters() const;
  Prior& prior() { return *prior_; }

 private:
  torch::nn::Sequential encoder_{nullptr}, decoder_{nullptr};
  std::shared_ptr<Prior> prior_;
  torch::Tensor log_noise_;
};

}  // namespace cryoscape::latent
