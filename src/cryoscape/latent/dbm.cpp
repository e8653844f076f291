#include "cryoscape/latent/dbm.hpp"

namespace cryoscape::latent {
namespace {

constexpr int kMeanFieldSweeps = 20;

}  // namespace

torch::Tensor DeepBoltzmann::energy(const torch::Tensor& z) const {
  const auto hidden = w_.size(1);
  if (hidden > kExactBits) return mean_field_energy(machine(), z);
  // Given h₁, both z and h₂ factorise: of the sum over h₁, a state's weight through h₂ is the same for all z.
  const auto m = machine();
  const auto second = w_.narrow(0, bits(), hidden);
  const auto odds = z.mm(w_.narrow(0, 0, bits())) + m.right_of(b_);
  const auto states = binary_states(hidden, w_.options().requires_grad(false));
  const auto through_second = torch::softplus(b_.narrow(0, bits(), hidden) + states.mm(second.t())).sum(1);
  return -z.mv(b_.narrow(0, 0, bits())) - torch::logsumexp(odds.mm(states.t()) + through_second, 1);
}

torch::Tensor DeepBoltzmann::completed(const torch::Tensor& bits_in) const {
  torch::NoGradGuard no_grad;
  const auto m = machine();
  const auto hidden = w_.size(1);
  const auto second = w_.narrow(0, bits(), hidden), c2 = b_.narrow(0, bits(), hidden);
  const auto from_bits = bits_in.mm(w_.narrow(0, 0, bits())) + m.right_of(b_);
  auto h2 = torch::sigmoid(c2).expand({bits_in.size(0), hidden});
  torch::Tensor h1;
  // One layer given the other: no sweep can overshoot, which updating both at once would need damping for.
  for (int s = 0; s < kMeanFieldSweeps; ++s) {
    h1 = torch::sigmoid(from_bits + h2.mm(second));
    h2 = torch::sigmoid(c2 + h1.mm(second.t()));
  }
  return torch::cat({bits_in, h2, h1}, 1);
}

torch::Tensor DeepBoltzmann::mean_field_energy(const BipartiteUnits& machine, const torch::Tensor& z) const {
  const auto hidden = completed(z.detach()).narrow(1, bits(), 2 * w_.size(1));
  const auto p = hidden.clamp(1e-7, 1 - 1e-7);
  const auto entropy = -(p * torch::log(p) + (1 - p) * torch::log1p(-p)).sum(1);
  return latent::energy(machine, torch::cat({z, hidden}, 1)) - entropy;
}

torch::Tensor DeepBoltzmann::expected_energy(const Posterior& posterior) const {
  return mean_field_energy({b_.detach(), w_.detach()}, torch::sigmoid(posterior.logits()));
}

torch::Tensor DeepBoltzmann::positive_phase(const Posterior&, const Sample& sample) const {
  return completed(sample.hard.detach());
}

}  // namespace cryoscape::latent
