#pragma once
#include "cryoscape/latent/annealed_adam.hpp"
#include "cryoscape/latent/broad_mixture.hpp"
#include "cryoscape/latent/chain_sampler.hpp"
#include "cryoscape/latent/network.hpp"
#include "cryoscape/latent/whitening.hpp"

namespace cryoscape::latent {

/// E(z) = ½‖u‖² − f(u) with a network f of two layers of 200, u = z whitened by the aggregate posterior
/// (LEBM: Pang et al. 2020, whose base density is a standard normal). A standard normal until after_warm_up.
/// Samples and log Z by way of a broad mixture that learns along.
class EnergyPrior : public Prior {
 public:
  std::int64_t dim() const override { return dim_; }
  torch::Tensor cross_entropy(const Posterior& posterior, const Sample& sample) const override;
  torch::Tensor contrast(const Posterior& posterior, const Sample& sample,
                         torch::Generator& generator) override;
  torch::Tensor energy(const torch::Tensor& z) const override { return unit_energy(whitening_->unit(z)); }
  torch::Tensor sample(std::int64_t n, torch::Generator& generator) override;
  LogPartition log_partition() override;
  std::unique_ptr<torch::optim::Optimizer> make_optimiser() override;
  nlohmann::json diagnostics() override;

 protected:
  EnergyPrior(const PriorOptions& options, std::uint64_t seed);

  /// What f learns from whitened latents (B, d), drawn from a batch's posterior.
  virtual torch::Tensor energy_contrast(const Posterior& posterior, const torch::Tensor& u,
                                        torch::Generator& generator) = 0;
  /// What learns, and how fast.
  virtual std::vector<RatedParameters> rated_parameters() const;
  /// What to change where the prior is found wanting.
  virtual std::string advice() const = 0;

  torch::Tensor unit_energy(const torch::Tensor& u) const;
  /// Log Z of e^{−E} over u and the mean energy under it, from weighted draws of the broad mixture together
  /// with the batch's own, weighted by the density of both (Veach & Guibas 1995): where the latents are
  /// narrower than the mixture, low energies there would else go unseen, and fall without end.
  struct ImportancePhase {
    torch::Tensor log_partition;  ///< differentiable in f's parameters
    torch::Tensor energy;         ///< detached
  };
  ImportancePhase importance_phase(const Posterior& posterior, const torch::Tensor& u,
                                   torch::Generator& generator) const;
  double log_volume() const { return whitening_->log_volume().item<double>(); }
  torch::TensorOptions noise_like() const { return phases_.options(); }
  ChainSampler sampler() const;
  /// Keeps track of the mean energy of data and of samples.
  void record_phases(const torch::Tensor& positive, const torch::Tensor& negative);
  void start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                  torch::Generator& generator) override;

 private:
  bool active() const { return active_.item<float>() != 0; }

  std::int64_t dim_;
  std::shared_ptr<Network> network_;
  std::shared_ptr<Whitening> whitening_;
  std::shared_ptr<BroadMixture> broad_;
  torch::Tensor active_, phases_, steps_;
};

}  // namespace cryoscape::latent
