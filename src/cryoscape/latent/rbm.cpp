#include "cryoscape/latent/rbm.hpp"

namespace cryoscape::latent {

torch::Tensor RestrictedBoltzmann::expected_energy(const Posterior& posterior) const {
  // Every term is multilinear in bits that are independent under q.
  const BipartiteUnits fixed{b_.detach(), w_.detach()};
  return latent::energy(fixed, torch::sigmoid(posterior.logits()));
}

std::optional<DenseUnits> RestrictedBoltzmann::pairwise() const {
  const auto w = w_.detach();
  const auto above = torch::cat({w.new_zeros({w.size(0), w.size(0)}), w}, 1),
             below = torch::cat({w.t(), w.new_zeros({w.size(1), w.size(1)})}, 1);
  return DenseUnits{b_.detach(), torch::cat({above, below})};
}

}  // namespace cryoscape::latent
