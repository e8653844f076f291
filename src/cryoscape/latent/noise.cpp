#include "cryoscape/latent/noise.hpp"

#include <limits>

namespace cryoscape::latent {
namespace {

torch::TensorOptions beside(torch::Generator& generator, const torch::TensorOptions& options) {
  return options.device(generator.device()).requires_grad(false);
}

}  // namespace

torch::Tensor normal(c10::IntArrayRef sizes, torch::Generator& generator,
                     const torch::TensorOptions& options) {
  return torch::randn(sizes, generator, beside(generator, options)).to(options.device());
}

torch::Tensor uniform(c10::IntArrayRef sizes, torch::Generator& generator,
                      const torch::TensorOptions& options) {
  return torch::rand(sizes, generator, beside(generator, options)).to(options.device());
}

torch::Tensor float_values(const torch::Tensor& tensor) {
  return tensor.detach().to(torch::kFloat32).contiguous();
}

std::uint64_t draw_seed(torch::Generator& generator) {
  return static_cast<std::uint64_t>(
      torch::randint(std::numeric_limits<std::int64_t>::max(), {1}, generator,
                     torch::TensorOptions(torch::kInt64).device(generator.device()))
          .item<std::int64_t>());
}

torch::Tensor bernoulli_bits(const torch::Tensor& p, torch::Generator& generator) {
  return (uniform_like(p, generator) < p).to(p.dtype());
}

torch::Tensor categorical(const torch::Tensor& weights, std::int64_t n, torch::Generator& generator) {
  return torch::multinomial(weights.to(generator.device()), n, true, generator).to(weights.device());
}

torch::Tensor choose(const torch::Tensor& weights, torch::Generator& generator, const BatchPart& part) {
  const auto u = uniform_like(weights.narrow(1, 0, 1), generator, part);
  return (torch::cumsum(weights, 1) < u).sum(1).clamp_max(weights.size(1) - 1);
}

}  // namespace cryoscape::latent
