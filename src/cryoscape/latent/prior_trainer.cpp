#include "cryoscape/latent/prior_trainer.hpp"

#include <cmath>

#include "cryoscape/util/error.hpp"

namespace cryoscape::latent {

PriorTrainer::PriorTrainer(Prior& prior) : prior_(prior), optimiser_(prior.make_optimiser()) {}

bool PriorTrainer::gradients_are_finite() const {
  for (const auto& p : prior_.parameters())
    if (p.grad().defined() && !std::isfinite(p.grad().sum().item<double>())) return false;
  return true;
}

void PriorTrainer::step(const Posterior& posterior, const Sample& sample, torch::Generator& generator,
                        const torch::Tensor& draws, const torch::Tensor& weights) {
  if (!optimiser_) return;
  optimiser_->zero_grad();
  auto contrast = prior_.contrast(posterior, sample, generator);
  if (!contrast.defined()) return;
  if (draws.defined()) {
    const auto energy = prior_.energy(draws);
    contrast = contrast + energy.mean() - (weights.to(energy.dtype()) * energy).sum();
  }
  contrast.backward();
  if (!std::isfinite(contrast.item<double>()) || !gradients_are_finite()) {
    if (++left_out_ < kMostLeftOut) return;
    fail("the prior diverged: its last {} steps were not finite; raise --sweeps or choose another --prior",
         kMostLeftOut);
  }
  left_out_ = 0;
  optimiser_->step();
}

}  // namespace cryoscape::latent
