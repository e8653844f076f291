#include "cryoscape/latent/annealed_adam.hpp"

#include <algorithm>

namespace cryoscape::latent {
namespace {

constexpr double kSteps = 1000, kLeastShare = 0.05;

std::vector<torch::optim::OptimizerParamGroup> groups_of(const std::vector<RatedParameters>& groups) {
  std::vector<torch::optim::OptimizerParamGroup> out;
  for (const auto& group : groups)
    out.emplace_back(group.parameters, std::make_unique<torch::optim::AdamOptions>(group.rate));
  return out;
}

}  // namespace

AnnealedAdam::AnnealedAdam(const std::vector<RatedParameters>& groups, torch::Tensor steps)
    : Adam(groups_of(groups)), steps_(std::move(steps)) {
  for (const auto& group : groups) rates_.push_back(group.rate);
}

torch::Tensor AnnealedAdam::step(LossClosure closure) {
  const double share = std::max(kLeastShare, 1 / (1 + steps_.item<double>() / kSteps));
  for (std::size_t i = 0; i < rates_.size(); ++i) param_groups()[i].options().set_lr(share * rates_[i]);
  steps_ += 1;
  return Adam::step(closure);
}

}  // namespace cryoscape::latent
