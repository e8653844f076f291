#pragma once
#include "cryoscape/latent/energy_prior.hpp"

namespace cryoscape::latent {

/// The latent energy-based model without a Markov chain, by the bound ln Z ≤ b + e^{−b} Z − 1 with a learned
/// b, tight at b = ln Z (arXiv 2503.07021); Z as the mean of e^{−E}/π over draws of π, the broad mixture, so
/// that every step's loss bounds the KL in expectation.
class EbmSnlPrior : public EnergyPrior {
 public:
  EbmSnlPrior(const PriorOptions& options, std::uint64_t seed);
  nlohmann::json diagnostics() override;

 private:
  torch::Tensor energy_contrast(const Posterior& posterior, const torch::Tensor& u,
                                torch::Generator& generator) override;
  std::vector<RatedParameters> rated_parameters() const override;
  std::string advice() const override;

  torch::Tensor b_;  ///< ln Z in whitened coordinates, as learned
};

}  // namespace cryoscape::latent
