#include "cryoscape/latent/prior_trainer.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/util/error.hpp"

namespace cryoscape::latent {

PriorTrainer::PriorTrainer(Prior& prior) : prior_(prior), optimiser_(prior.make_optimiser()) {
  if (!optimiser_) return;
  for (const auto& group : optimiser_->param_groups()) rates_.push_back(group.options().get_lr());
}

bool PriorTrainer::gradients_are_finite() const {
  for (const auto& p : prior_.parameters())
    if (p.grad().defined() && !std::isfinite(p.grad().sum().item<double>())) return false;
  return true;
}

void PriorTrainer::step(const Posterior& posterior, const Sample& sample, double rate,
                        torch::Generator& generator, const torch::Tensor& draws,
                        const torch::Tensor& weights) {
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
  auto& groups = optimiser_->param_groups();
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i].options().set_lr(rate * rates_[i]);
  optimiser_->step();
}

double prior_rate(double fraction_done) { return std::pow(0.1, std::clamp(2 * fraction_done - 1, 0.0, 1.0)); }

}  // namespace cryoscape::latent
