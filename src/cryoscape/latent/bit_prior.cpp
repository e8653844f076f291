#include "cryoscape/latent/bit_prior.hpp"

#include "cryoscape/latent/relaxed.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::latent {
namespace {

constexpr double kMemory = 0.01;  ///< share of a step in moving averages
constexpr double kActiveVariance = 0.05;
constexpr double kLeastInformation = 0.02;  ///< nats, of all bits: less is none
constexpr double kEnoughSteps = 500;        ///< that warnings wait for

/// E_q[E(z)] (B) at a draw of the earlier groups: bits of one group are independent given it, an earlier and
/// a later one average to ν_i q_j.
torch::Tensor energy_of_groups(const DenseUnits& machine, const Posterior& posterior) {
  const auto group = posterior.groups->group_of_bits().to(machine.couplings.device());
  const auto earlier = (group.unsqueeze(1) < group.unsqueeze(0)).to(machine.couplings.dtype());
  const auto together = (group.unsqueeze(1) == group.unsqueeze(0)).to(machine.couplings.dtype());
  const auto q = torch::sigmoid(posterior.logits());
  return latent::energy({machine.biases, machine.couplings * together}, q) -
         (posterior.believed.mm(machine.couplings * earlier) * q).sum(1);
}

}  // namespace

BitPrior::BitPrior(const PriorOptions& options) : Prior(options.smoothing), bits_(options.bits) {
  seen_ = register_buffer("seen", torch::stack({torch::full({bits_}, 0.5), torch::full({bits_}, 0.25)}));
  observations_ = register_buffer("observations", torch::zeros({1}));
  shift_ = register_buffer("shift", torch::zeros({bits_}));
}

torch::Tensor BitPrior::smooth(const torch::Tensor& logits, const torch::Tensor& rho) const {
  const auto machine = gaussian() ? pairwise() : std::nullopt;
  if (!machine) return Prior::smooth(logits, rho);
  const auto noise = gaussian_integral(machine->couplings, smoothing().sharpness());
  return gaussian_smoothing(torch::sigmoid(logits), rho, shift_, marginal_deviations(noise));
}

torch::Tensor BitPrior::log_weight(const Posterior& posterior, const Sample& sample) const {
  const auto machine = pairwise();
  if (!machine || !smoothing().has_density()) return Prior::log_weight(posterior, sample);
  const auto logits = posterior.logits();
  if (gaussian()) {
    const auto noise = gaussian_integral(machine->couplings, smoothing().sharpness());
    return log_relaxed(*machine, noise, sample.smooth) -
           log_mixture(normal_densities(sample.smooth, shift_, marginal_deviations(noise)), logits);
  }
  const auto densities = power_densities(sample.smooth, smoothing().sharpness());
  return log_relaxed(*machine, densities, first_block()) - log_mixture(densities, logits);
}

torch::Tensor BitPrior::cross_entropy(const Posterior& posterior, const Sample& sample) const {
  // Hard draws come with one tensor for both.
  const bool relaxed = sample.smooth.defined() && !sample.smooth.is_same(sample.hard);
  if (gaussian() && relaxed && pairwise()) return entropy(posterior) - log_weight(posterior, sample);
  if (posterior.groups) return energy_of_groups(*pairwise(), posterior);
  return expected_energy(posterior);
}

torch::Tensor BitPrior::positive_bits(const Posterior& posterior, const Sample& sample) const {
  if (draws_have_density() || posterior.groups) return sample.hard.detach().narrow(1, 0, bits_);
  return torch::sigmoid(posterior.logits().detach());
}

void BitPrior::observe(const Posterior& posterior, const Sample& sample) {
  torch::NoGradGuard no_grad;
  const auto q = torch::sigmoid(posterior.logits());
  seen_.mul_(1 - kMemory).add_(kMemory * torch::stack({q.mean(0), q.pow(2).mean(0)}));
  observations_.add_(1);
  if (!gaussian()) return;
  const auto noise = (sample.smooth - sample.hard).narrow(1, 0, bits_).mean(0);
  shift_.mul_(1 - kMemory).add_(kMemory * noise);
}

std::int64_t BitPrior::active_bits() const {
  return (seen_[1] - seen_[0].pow(2) > kActiveVariance).sum().item<std::int64_t>();
}

double BitPrior::information() const {
  const auto spread = seen_[1] - seen_[0].pow(2), most = seen_[0] * (1 - seen_[0]);
  return (spread / (2 * most).clamp_min(1e-6)).sum().item<double>();
}

std::vector<std::string> BitPrior::warnings(const nlohmann::json& record) const {
  std::vector<std::string> lines;
  if (observations_.item<double>() >= kEnoughSteps && information() < kLeastInformation)
    lines.emplace_back("the latent bits do not tell particles apart: lower --beta, or lengthen --warm-up");
  const auto partition = partition_of(record);
  if (!partition.known())
    lines.push_back(fmt::format(
        "log Z is known to {:.2f} nats only, so bounds are not to be trusted: raise --sweeps or --chains",
        partition.upper - partition.lower));
  return lines;
}

nlohmann::json BitPrior::diagnostics() {
  auto json = Prior::diagnostics();
  json["active_bits"] = active_bits();
  json["bit_information"] = information();
  describe(json);
  const auto lines = warnings(json);
  if (!lines.empty()) json["warning"] = fmt::format("{}", fmt::join(lines, "; "));
  return json;
}

torch::Tensor starting_logits(const torch::Tensor& probabilities) {
  return torch::logit(probabilities.clamp(0.02, 0.98));
}

}  // namespace cryoscape::latent
