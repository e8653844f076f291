#include "cryoscape/latent/boltzmann.hpp"

namespace cryoscape::latent {

DenseUnits BoltzmannPrior::machine() const {
  const auto above = torch::triu(w_, 1);
  return {b_, above + above.t()};
}

DenseUnits BoltzmannPrior::joint_machine() const {
  torch::NoGradGuard no_grad;
  auto fixed = machine();
  fixed.biases = b_.detach();
  return fixed;
}

torch::Tensor BoltzmannPrior::expected_energy(const Posterior& posterior) const {
  // Multilinear in independent bits, as the diagonal is 0.
  return latent::energy(joint_machine(), torch::sigmoid(posterior.logits()));
}

}  // namespace cryoscape::latent
