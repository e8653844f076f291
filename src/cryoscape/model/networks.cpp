#include "cryoscape/model/networks.hpp"

namespace cryoscape::model {

MlpImpl::MlpImpl(const std::vector<std::int64_t>& sizes) {
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i)
    layers_.push_back(
        register_module("layer" + std::to_string(i), torch::nn::Linear(sizes[i], sizes[i + 1])));
}

torch::Tensor MlpImpl::forward(torch::Tensor x) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (i > 0) x = torch::silu(x);
    x = layers_[i]->forward(x);
  }
  return x;
}

Mlp make_mlp_encoder(std::int64_t features, std::int64_t outputs) {
  return Mlp(std::vector<std::int64_t>{features, 512, 256, 128, 64, 32, outputs});
}

Mlp make_residue_decoder(std::int64_t latent_dim, std::int64_t beads) {
  Mlp decoder(std::vector<std::int64_t>{latent_dim, 32, 64, 128, 256, 512, 3 * beads});
  torch::NoGradGuard no_grad;
  decoder->last()->weight.zero_();
  decoder->last()->bias.zero_();
  return decoder;
}

}  // namespace cryoscape::model
