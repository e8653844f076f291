#include "cryoscape/latent/broad_mixture.hpp"

#include <cmath>
#include <numbers>

#include "cryoscape/latent/noise.hpp"

namespace cryoscape::latent {
namespace {

constexpr double kBroadShare = 0.25, kBroadDeviation = 1.25;

}  // namespace

BroadMixture::BroadMixture(const PriorOptions& options) : dim_(options.dim) {
  mixture_ = register_module("mixture", std::make_shared<MixturePrior>(options));
}

void BroadMixture::start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                              torch::Generator& generator) {
  mixture_->after_warm_up(means, deviations, generator);
}

torch::Tensor BroadMixture::energy(const torch::Tensor& u) const {
  const double constant =
      static_cast<double>(dim_) * std::log(kBroadDeviation * std::sqrt(2 * std::numbers::pi));
  const auto broad = 0.5 * u.pow(2).sum(1) / (kBroadDeviation * kBroadDeviation) + constant;
  return -torch::logaddexp(std::log(kBroadShare) - broad, std::log1p(-kBroadShare) - mixture_->energy(u));
}

torch::Tensor BroadMixture::sample(std::int64_t n, torch::Generator& generator) const {
  const auto from_mixture = mixture_->sample(n, generator);
  const auto broad = kBroadDeviation * normal_like(from_mixture, generator);
  const auto pick = uniform_like(from_mixture.narrow(1, 0, 1), generator) < kBroadShare;
  return torch::where(pick, broad, from_mixture);
}

Proposal BroadMixture::proposal() const {
  return {[this](const torch::Tensor& u) { return energy(u); },
          [this](std::int64_t n, torch::Generator& g) { return sample(n, g); }};
}

}  // namespace cryoscape::latent
