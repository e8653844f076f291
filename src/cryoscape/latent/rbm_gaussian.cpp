#include "cryoscape/latent/rbm_gaussian.hpp"

#include <cmath>
#include <numbers>

#include "cryoscape/latent/noise.hpp"

namespace cryoscape::latent {
namespace {

constexpr double kBasinRate = 2e-3, kLeastVariance = 1e-4;
constexpr double kNarrow = 8;  ///< over the variance: basins narrower than 0.35 are slowed

double log_root_two_pi() { return 0.5 * std::log(2 * std::numbers::pi); }

}  // namespace

RbmWithGaussians::RbmWithGaussians(const PriorOptions& options, std::uint64_t seed)
    : RestrictedBoltzmann(options, seed), reals_(options.dim) {
  basins_.mean = register_parameter("mean", torch::zeros({reals_}));
  basins_.log_std = register_parameter("log_std", torch::zeros({reals_}));
  basins_.mean_by_bit = register_parameter("mean_by_bit", torch::zeros({bits(), reals_}));
  basins_.log_std_by_bit = register_parameter("log_std_by_bit", torch::zeros({bits(), reals_}));
}

torch::Tensor RbmWithGaussians::energy(const torch::Tensor& z) const {
  const auto b = z.narrow(1, 0, bits()), y = z.narrow(1, bits(), reals_);
  const auto log_std = basins_.log_std + b.mm(basins_.log_std_by_bit);
  const auto u = (y - basins_.mean - b.mm(basins_.mean_by_bit)) * torch::exp(-log_std);
  return RestrictedBoltzmann::energy(b) + (0.5 * u.pow(2) + log_std + log_root_two_pi()).sum(1);
}

/// E_q[½((y − μ(z))/σ(z))² + ln σ(z) + ½ ln 2π] (B). With t_j = e^{−2 S_j}, E_q[Π t_j^{z_j} f(z)] =
/// Π(1 − q_j + q_j t_j) E_q̃[f(z)], q̃_j = q_j t_j/(1 − q_j + q_j t_j), for every real latent of its own.
torch::Tensor RbmWithGaussians::expected_reals(const Basins& p, const Posterior& posterior) {
  const auto logits = posterior.logits().unsqueeze(2);                               // (B, bits, 1)
  const auto tilt = logits - 2 * p.log_std_by_bit;                                   // of q̃, (B, bits, k)
  const auto log_factor = (torch::softplus(tilt) - torch::softplus(logits)).sum(1);  // ln Π(1 − q + q t)
  const auto tilted = torch::sigmoid(tilt);
  const auto offset = posterior.means() - p.mean - (tilted * p.mean_by_bit).sum(1);
  const auto spread =
      (tilted * (1 - tilted) * p.mean_by_bit.pow(2)).sum(1) + torch::exp(2 * posterior.log_std);
  const auto square = torch::exp(log_factor - 2 * p.log_std) * (offset.pow(2) + spread);
  const auto log_std = p.log_std + torch::sigmoid(posterior.logits()).mm(p.log_std_by_bit);
  return (0.5 * square + log_std + log_root_two_pi()).sum(1);
}

torch::Tensor RbmWithGaussians::expected_energy(const Posterior& posterior) const {
  return RestrictedBoltzmann::expected_energy(posterior) + expected_reals(basins_.detach(), posterior);
}

torch::Tensor RbmWithGaussians::contrast(const Posterior& posterior, const Sample& sample,
                                         torch::Generator& generator) {
  // The reals' densities are normalised: they have no negative phase.
  const Posterior fixed{posterior.bits, posterior.mean.detach(), posterior.log_std.detach()};
  return RestrictedBoltzmann::contrast(posterior, sample, generator) +
         expected_reals(preconditioned(), fixed).mean();
}

/// The same values, but gradients of the means of narrow basins are multiplied by their variance, as natural
/// gradients are: plain steps then stay stable however narrow the basins become.
RbmWithGaussians::Basins RbmWithGaussians::preconditioned() const {
  const auto slowness = (kNarrow * torch::exp(2 * basins_.log_std.detach())).clamp_max(1);
  const auto slowed = [&](const torch::Tensor& p) { return p.detach() + slowness * (p - p.detach()); };
  return {slowed(basins_.mean), basins_.log_std, slowed(basins_.mean_by_bit), basins_.log_std_by_bit};
}

torch::Tensor RbmWithGaussians::sample(std::int64_t n, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto b = RestrictedBoltzmann::sample(n, generator);
  const auto std = torch::exp(basins_.log_std + b.mm(basins_.log_std_by_bit));
  const auto y = basins_.mean + b.mm(basins_.mean_by_bit) + std * normal({n, reals_}, generator, b.options());
  return torch::cat({b, y}, 1);
}

std::unique_ptr<torch::optim::Optimizer> RbmWithGaussians::make_optimiser() {
  // One optimiser for both: the machine's plain steps, and the basins at a rate of their own.
  auto optimiser = RestrictedBoltzmann::make_optimiser();
  optimiser->add_param_group(
      {{basins_.mean, basins_.log_std, basins_.mean_by_bit, basins_.log_std_by_bit},
       std::make_unique<torch::optim::SGDOptions>(torch::optim::SGDOptions(kBasinRate))});
  return optimiser;
}

void RbmWithGaussians::start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                                  torch::Generator& generator) {
  RestrictedBoltzmann::start_from(means, deviations, generator);
  torch::NoGradGuard no_grad;
  const auto y = means.narrow(1, bits(), reals_), own = deviations.narrow(1, bits(), reals_);
  const auto variance = y.var(0, false) + own.pow(2).mean(0);
  basins_.mean.copy_(y.mean(0));
  basins_.log_std.copy_(0.5 * torch::log(variance.clamp_min(kLeastVariance)));
  basins_.mean_by_bit.zero_();
  basins_.log_std_by_bit.zero_();
}

}  // namespace cryoscape::latent
