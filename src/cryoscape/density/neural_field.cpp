#include "cryoscape/density/neural_field.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <numbers>

namespace cryoscape::density {
namespace {

std::vector<std::int64_t> layer_sizes(const FieldShape& shape) {
  std::vector<std::int64_t> sizes(shape.layers + 2, shape.hidden);
  sizes.front() = 2 * shape.features + shape.latent_dim;
  sizes.back() = 2;
  return sizes;
}

/// Weights that keep the variance of activations (He et al., ICCV 2015), no biases, and no output.
void initialise(model::Mlp& network, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  for (auto& p : network->parameters()) {
    if (p.dim() == 2)
      p.normal_(0, std::sqrt(2.0 / static_cast<double>(p.size(1))), generator);
    else
      p.zero_();
  }
  network->last()->weight.zero_();
}

}  // namespace

NeuralFieldImpl::NeuralFieldImpl(const FieldShape& shape, std::uint64_t seed)
    // As much variance from the latents as from the frequency, whose cos² + sin² is 1 per point.
    : latent_gain_(std::sqrt(static_cast<double>(shape.features) / shape.latent_dim)) {
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(seed);
  points_ = register_buffer("points", torch::zeros({3, shape.features}));
  network_ = register_module("network", model::Mlp(layer_sizes(shape)));
  initialise(network_, generator);
}

void NeuralFieldImpl::set_points(const torch::Tensor& points) {
  points_.copy_(2 * std::numbers::pi * points.t());
}

torch::Tensor NeuralFieldImpl::forward(const torch::Tensor& k, const torch::Tensor& z) {
  const auto phase = k.mm(points_);
  return network_->forward(torch::cat({phase.cos(), phase.sin(), latent_gain_ * z}, 1));
}

torch::Tensor field_loss(const torch::Tensor& o, const torch::Tensor& samples) {
  const auto weight = samples.narrow(1, 2, 1), value = samples.narrow(1, 0, 2);
  return (o * (weight * o - 2 * value)).sum();
}

}  // namespace cryoscape::density
