#pragma once
#include <memory>

#include "cryoscape/latent/prior.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// Moves a prior by its own contrast. A step whose contrast or gradient is not finite is left out, so that no
/// NaN reaches the prior's parameters; after kMostLeftOut such steps in a row the prior has diverged.
class PriorTrainer {
 public:
  static constexpr int kMostLeftOut = 50;

  explicit PriorTrainer(Prior& prior);

  /// One step on a batch's posterior and draw. Where the density is
  /// the prior's times a factor, `draws` of the prior (n, d) with the factor's `weights` (n), which sum to 1,
  /// make the negative phase that of the product. Throws Error for a prior that has diverged.
  void step(const Posterior& posterior, const Sample& sample, torch::Generator& generator,
            const torch::Tensor& draws = {}, const torch::Tensor& weights = {});

  /// Null for a prior without parameters; for checkpoints.
  torch::optim::Optimizer* optimiser() { return optimiser_.get(); }

 private:
  bool gradients_are_finite() const;

  Prior& prior_;
  std::unique_ptr<torch::optim::Optimizer> optimiser_;
  int left_out_ = 0;
};

}  // namespace cryoscape::latent
