#include "cryoscape/latent/batch_density.hpp"

#include <cmath>
#include <numbers>

namespace cryoscape::latent {
namespace {

/// ln q(z_k|x_j) (n, B) of bits.
torch::Tensor of_bits(const torch::Tensor& logits, const torch::Tensor& z) {
  return z.mm(logits.t()) - torch::softplus(logits).sum(1);
}

/// The same of real latents.
torch::Tensor of_reals(const torch::Tensor& means, const torch::Tensor& log_std, const torch::Tensor& z) {
  const auto centre = z.mean(0);  // squares of small numbers keep their digits
  const auto x = z - centre, mean = means - centre, precision = torch::exp(-2 * log_std);
  const auto square =
      x.pow(2).mm(precision.t()) - 2 * x.mm((precision * mean).t()) + (precision * mean.pow(2)).sum(1);
  return -0.5 * square - (log_std + 0.5 * std::log(2 * std::numbers::pi)).sum(1);
}

}  // namespace

torch::Tensor summed_log_density(const Posterior& posterior, const torch::Tensor& z) {
  torch::NoGradGuard no_grad;
  torch::Tensor pairs;
  if (posterior.bits > 0) pairs = of_bits(posterior.logits(), z.narrow(1, 0, posterior.bits));
  if (posterior.has_reals()) {
    const auto means = posterior.means();
    const auto reals = of_reals(means, posterior.log_std, z.narrow(1, posterior.bits, means.size(1)));
    pairs = pairs.defined() ? pairs + reals : reals;
  }
  return torch::logsumexp(pairs, 1);
}

}  // namespace cryoscape::latent
