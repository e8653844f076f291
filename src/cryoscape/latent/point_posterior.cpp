#include "cryoscape/latent/point_posterior.hpp"

namespace cryoscape::latent {
namespace {

constexpr double kDoubt = 1e-6;  ///< keeps the logits of known bits finite

}  // namespace

Posterior point_posterior(std::int64_t bits, const torch::Tensor& latents, const torch::Tensor& width) {
  const auto reals = latents.size(1) - bits;
  if (reals == 0) return {bits, torch::logit(latents, kDoubt), {}};
  const auto log_std = torch::log(width.narrow(0, bits, reals)).expand({latents.size(0), reals});
  if (bits == 0) return {0, latents, log_std};
  const auto logits = torch::logit(latents.narrow(1, 0, bits), kDoubt);
  return {bits, torch::cat({logits, latents.narrow(1, bits, reals)}, 1), log_std};
}

}  // namespace cryoscape::latent
