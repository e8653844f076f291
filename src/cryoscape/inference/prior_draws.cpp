#include "cryoscape/inference/prior_draws.hpp"

namespace cryoscape::inference {

torch::Tensor prior_draws(latent::Prior& prior, std::int64_t n, std::uint64_t seed) {
  torch::NoGradGuard no_grad;
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(seed);
  return prior.sample(n, generator).to(torch::kCPU, torch::kFloat32).contiguous();
}

}  // namespace cryoscape::inference
