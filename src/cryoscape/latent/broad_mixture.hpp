#pragma once
#include "cryoscape/latent/langevin.hpp"
#include "cryoscape/latent/priors.hpp"

namespace cryoscape::latent {

/// A density over whitened latents that is easy to draw from and lies over the aggregate posterior, for
/// importance sampling and independent proposals: a mixture that learns along by its own likelihood, plus a
/// share of a normal somewhat wider than the whole, which keeps importance weights bounded.
class BroadMixture : public torch::nn::Module {
 public:
  explicit BroadMixture(const PriorOptions& options);
  /// From whitened posterior means and standard deviations (M, d).
  void start_from(const torch::Tensor& means, const torch::Tensor& deviations, torch::Generator& generator);
  /// What the mixture learns from whitened latents (B, d).
  torch::Tensor contrast(const torch::Tensor& u, torch::Generator& generator) {
    return mixture_->contrast({}, {u, u}, generator);
  }
  /// −ln density (B), normalised.
  torch::Tensor energy(const torch::Tensor& u) const;
  torch::Tensor sample(std::int64_t n, torch::Generator& generator) const;
  Proposal proposal() const;

 private:
  std::int64_t dim_;
  std::shared_ptr<MixturePrior> mixture_;
};

}  // namespace cryoscape::latent
