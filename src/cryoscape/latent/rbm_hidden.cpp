#include "cryoscape/latent/rbm_hidden.hpp"

namespace cryoscape::latent {

torch::Tensor HiddenRbm::energy(const torch::Tensor& z) const {
  const auto m = machine();
  return -z.mv(m.left_of(b_)) - torch::softplus(m.right_of(b_) + z.mm(w_)).sum(1);
}

torch::Tensor HiddenRbm::expected_energy(const Posterior& posterior) const {
  return fixed_energy(torch::sigmoid(posterior.logits()));
}

torch::Tensor HiddenRbm::completed(const torch::Tensor& bits) const {
  return torch::cat({bits, torch::sigmoid(machine().right_of(b_) + bits.mm(w_))}, 1);
}

torch::Tensor HiddenRbm::positive_phase(const Posterior&, const Sample& sample) const {
  // The hidden means are not linear in z, so that drawn bits take the place of their probabilities.
  return completed(sample.hard.detach());
}

}  // namespace cryoscape::latent
