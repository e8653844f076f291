#include "cryoscape/latent/vector_vae.hpp"

#include <cmath>
#include <numbers>

#include "cryoscape/latent/encoder_output.hpp"

namespace cryoscape::latent {
namespace {

constexpr std::int64_t kHidden = 128;

torch::nn::Sequential perceptron(std::int64_t inputs, std::int64_t outputs) {
  return torch::nn::Sequential(torch::nn::Linear(inputs, kHidden), torch::nn::SiLU(),
                               torch::nn::Linear(kHidden, kHidden), torch::nn::SiLU(),
                               torch::nn::Linear(kHidden, outputs));
}

}  // namespace

VectorVae::VectorVae(std::int64_t columns, std::shared_ptr<Prior> prior, std::uint64_t seed)
    : prior_(std::move(prior)) {
  torch::manual_seed(seed);
  encoder_ = register_module("encoder", perceptron(columns, 2 * prior_->dim() - prior_->bits()));
  decoder_ = register_module("decoder", perceptron(prior_->dim(), columns));
  log_noise_ = register_parameter("log_noise", torch::zeros({columns}));
  register_module("prior", prior_);
}

Posterior VectorVae::encode(const torch::Tensor& x) {
  return posterior_of(encoder_->forward(x), prior_->bits(), prior_->dim());
}

torch::Tensor VectorVae::log_likelihood(const torch::Tensor& x, const torch::Tensor& z) {
  const auto u = (x - decoder_->forward(z)) * torch::exp(-log_noise_);
  return -(0.5 * u.pow(2) + log_noise_ + 0.5 * std::log(2 * std::numbers::pi)).sum(1);
}

std::vector<torch::Tensor> VectorVae::network_parameters() const {
  auto parameters = encoder_->parameters();
  for (auto& p : decoder_->parameters()) parameters.push_back(p);
  parameters.push_back(log_noise_);
  return parameters;
}

}  // namespace cryoscape::latent
