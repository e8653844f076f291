#pragma once
#include <vector>

#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// Parameters and the rate that they start to learn with.
struct RatedParameters {
  std::vector<torch::Tensor> parameters;
  double rate = 1e-3;
};

/// Adam whose rates fall as 1/(1 + steps/1000) to a twentieth: what is left of the noise of small batches in
/// the learned density is proportional to the rate.
class AnnealedAdam : public torch::optim::Adam {
 public:
  /// Counts its steps in `steps`, a buffer of one number, so that they are saved with the module.
  AnnealedAdam(const std::vector<RatedParameters>& groups, torch::Tensor steps);
  torch::Tensor step(LossClosure closure = nullptr) override;

 private:
  std::vector<double> rates_;
  torch::Tensor steps_;
};

}  // namespace cryoscape::latent
