#include "cryoscape/latent/rbm.hpp"

namespace cryoscape::latent {

torch::Tensor RestrictedBoltzmann::expected_energy(const Posterior& posterior) const {
  // Every term is multilinear in bits that are independent under q.
  const BipartiteUnits fixed{b_.detach(), w_.detach()};
  return latent::energy(fixed, torch::sigmoid(posterior.logits()));
}

}  // namespace cryoscape::latent
