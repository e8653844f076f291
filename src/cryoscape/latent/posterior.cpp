#include "cryoscape/latent/posterior.hpp"

#include <cmath>
#include <numbers>

#include "cryoscape/latent/noise.hpp"

namespace cryoscape::latent {
namespace {

/// The shape of the whole batch whose part has this one.
std::vector<std::int64_t> whole_shape(const torch::Tensor& part_shape, const BatchPart& part) {
  auto sizes = part_shape.sizes().vec();
  if (part.whole >= 0) sizes.at(0) = part.whole;
  return sizes;
}

/// Bits in groups, each given the probabilities of those before.
Posterior settled(const Posterior& posterior) {
  if (!posterior.groups || posterior.believed.defined()) return posterior;
  const auto encoder = posterior.logits();
  auto before = encoder.narrow(1, 0, 0);
  std::vector<torch::Tensor> logits;
  for (int g = 0; g < posterior.groups->count(); ++g) {
    logits.push_back(posterior.groups->logits(g, encoder, before));
    before = torch::cat({before, torch::sigmoid(logits.back())}, 1);
  }
  return given(posterior, {{}, {}, torch::cat(logits, 1), before});
}

}  // namespace

Posterior given(const Posterior& posterior, const Sample& sample) {
  if (!posterior.groups) return posterior;
  auto q = posterior;
  q.mean = q.has_reals() ? torch::cat({sample.logits, posterior.means()}, 1) : sample.logits;
  q.believed = sample.believed;
  return q;
}

torch::Tensor entropy(const Posterior& posterior) {
  torch::Tensor sum;
  if (posterior.bits > 0) {
    const auto l = posterior.logits();
    sum = (torch::softplus(l) - torch::sigmoid(l) * l).sum(1);
  }
  if (!posterior.has_reals()) return sum;
  const auto reals = (posterior.log_std + 0.5 * std::log(2 * std::numbers::pi * std::numbers::e)).sum(1);
  return sum.defined() ? sum + reals : reals;
}

torch::Tensor log_density(const Posterior& posterior, const torch::Tensor& z) {
  torch::Tensor sum;
  if (posterior.bits > 0) {
    const auto l = posterior.logits();
    sum = (z.narrow(1, 0, posterior.bits) * l - torch::softplus(l)).sum(1);
  }
  if (!posterior.has_reals()) return sum;
  const auto means = posterior.means();
  const auto u = (z.narrow(1, posterior.bits, means.size(1)) - means) * torch::exp(-posterior.log_std);
  const auto reals = -(0.5 * u.pow(2) + posterior.log_std + 0.5 * std::log(2 * std::numbers::pi)).sum(1);
  return sum.defined() ? sum + reals : reals;
}

torch::Tensor expectation(const Posterior& encoded) {
  const auto posterior = settled(encoded);
  if (posterior.bits == 0) return posterior.mean;
  const auto bits = torch::sigmoid(posterior.logits());
  return posterior.has_reals() ? torch::cat({bits, posterior.means()}, 1) : bits;
}

torch::Tensor deviation(const Posterior& encoded) {
  const auto posterior = settled(encoded);
  if (posterior.bits == 0) return torch::exp(posterior.log_std);
  const auto p = torch::sigmoid(posterior.logits());
  const auto bits = torch::sqrt(p * (1 - p));
  return posterior.has_reals() ? torch::cat({bits, torch::exp(posterior.log_std)}, 1) : bits;
}

torch::Tensor uniform_like(const torch::Tensor& shape, torch::Generator& generator, const BatchPart& part) {
  return uniform(whole_shape(shape, part), generator, shape.options().requires_grad(false))
      .narrow(0, part.first, shape.size(0));
}

torch::Tensor normal_like(const torch::Tensor& shape, torch::Generator& generator, const BatchPart& part) {
  return normal(whole_shape(shape, part), generator, shape.options().requires_grad(false))
      .narrow(0, part.first, shape.size(0));
}

}  // namespace cryoscape::latent
