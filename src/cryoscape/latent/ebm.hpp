#pragma once
#include "cryoscape/latent/energy_prior.hpp"

namespace cryoscape::latent {

/// The latent energy-based model by maximum likelihood, ⟨E⟩ of data minus ⟨E⟩ of the model, whose samples are
/// - `importance`: weighted draws of the broad mixture, for few dimensions;
/// - `persistent`: Markov chains that go on from step to step, all with e^{−E} as their density;
/// - `langevin`: short unadjusted runs from noise (Nijkamp et al. 2019). These teach a sampler: the density
///   follows as far as the runs reach equilibrium.
class EbmPrior : public EnergyPrior {
 public:
  /// Throws UsageError for `importance` in more than 10 dimensions.
  EbmPrior(const PriorOptions& options, std::uint64_t seed);

 private:
  torch::Tensor energy_contrast(const Posterior& posterior, const torch::Tensor& u,
                                torch::Generator& generator) override;
  std::string advice() const override;
  void start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                  torch::Generator& generator) override;
  torch::Tensor next_chains(torch::Generator& generator);
  torch::Tensor short_run(torch::Generator& generator) const;

  std::string training_;
  int langevin_steps_;
  torch::Tensor chains_;    ///< (n, d), persistent only: whitened
  torch::Tensor position_;  ///< (2): the chain whose turn is next; the step size
};

}  // namespace cryoscape::latent
