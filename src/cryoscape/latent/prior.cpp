#include "cryoscape/latent/prior.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "cryoscape/latent/bernoulli.hpp"
#include "cryoscape/latent/boltzmann.hpp"
#include "cryoscape/latent/dbm.hpp"
#include "cryoscape/latent/diffusion_ebm.hpp"
#include "cryoscape/latent/ebm.hpp"
#include "cryoscape/latent/ebm_snl.hpp"
#include "cryoscape/latent/flow.hpp"
#include "cryoscape/latent/noise.hpp"
#include "cryoscape/latent/priors.hpp"
#include "cryoscape/latent/qbm.hpp"
#include "cryoscape/latent/rbm.hpp"
#include "cryoscape/latent/rbm_gaussian.hpp"
#include "cryoscape/latent/rbm_hidden.hpp"
#include "cryoscape/latent/vamp.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::latent {
namespace {

/// Keeps gradients from a module's parameters while in scope.
class Fixed {
 public:
  explicit Fixed(const torch::nn::Module& module) {
    for (auto& p : module.parameters())
      if (p.requires_grad()) parameters_.push_back(p.set_requires_grad(false));
  }
  ~Fixed() {
    for (auto& p : parameters_) p.set_requires_grad(true);
  }
  Fixed(const Fixed&) = delete;
  Fixed& operator=(const Fixed&) = delete;

 private:
  std::vector<torch::Tensor> parameters_;
};

torch::Tensor beside(const torch::Tensor& bits, const torch::Tensor& reals) {
  return bits.defined() && reals.defined() ? torch::cat({bits, reals}, 1) : bits.defined() ? bits : reals;
}

torch::Tensor draw_reals(const Posterior& posterior, torch::Generator& generator, const BatchPart& part) {
  if (!posterior.has_reals()) return {};
  const auto means = posterior.means();
  return means + torch::exp(posterior.log_std) * normal_like(means, generator, part);
}

}  // namespace

/// The bits of a draw from noise (B, bits): of all at once, or of one group after the other.
Sample Prior::bits_from(const Posterior& posterior, const torch::Tensor& rho, bool hard) const {
  const auto drawn = [&](const torch::Tensor& logits, const torch::Tensor& noise) -> Sample {
    const auto z = (noise > 1 - torch::sigmoid(logits)).to(noise.dtype());
    if (!posterior.groups) return {z, hard ? z : smooth(logits, noise), {}, {}};
    if (hard) return {z, z, logits, z};
    const auto zeta = smooth(logits, noise);
    return {z, zeta, logits, believed_bits(smoothing_, logits, zeta)};
  };
  if (!posterior.groups) return drawn(posterior.logits(), rho);
  const auto& groups = *posterior.groups;
  Sample all;
  for (int g = 0; g < groups.count(); ++g) {
    const auto logits = groups.logits(g, posterior.logits(), g == 0 ? rho.narrow(1, 0, 0) : all.smooth);
    const auto next = drawn(logits, rho.narrow(1, groups.first(g), groups.size(g)));
    all = {beside(all.hard, next.hard), beside(all.smooth, next.smooth), beside(all.logits, next.logits),
           beside(all.believed, next.believed)};
  }
  return all;
}

Sample Prior::drawn(const Posterior& posterior, torch::Generator& generator, const BatchPart& part,
                    bool hard) const {
  Sample sample;
  if (posterior.bits > 0)
    sample = bits_from(posterior, uniform_like(posterior.logits(), generator, part), hard);
  const auto reals = draw_reals(posterior, generator, part);
  const auto z = beside(sample.hard, reals);
  return {z, hard ? z : beside(sample.smooth, reals), sample.logits, sample.believed};
}

torch::Tensor Prior::fixed_energy(const torch::Tensor& z) const {
  const Fixed fixed(*this);
  return energy(z);
}

torch::Tensor Prior::cross_entropy(const Posterior&, const Sample& sample) const {
  return fixed_energy(sample.smooth);
}

torch::Tensor Prior::log_weight(const Posterior& posterior, const Sample& sample) const {
  return -fixed_energy(sample.smooth) - log_density(posterior, sample.smooth);
}

void Prior::after_warm_up(const torch::Tensor& means, const torch::Tensor& deviations,
                          torch::Generator& generator, const torch::Tensor& participation) {
  const auto finite = torch::logical_and(torch::isfinite(means), torch::isfinite(deviations)).all(1);
  if (!finite.any().item<bool>()) return;
  const auto m = means.index({finite}), s = deviations.index({finite});
  if (participation.defined())
    start_along(participation, m, s, generator);
  else
    start_from(m, s, generator);
}

nlohmann::json Prior::diagnostics() {
  nlohmann::json json;
  record_partition(log_partition(), json);
  return json;
}

void record_partition(const LogPartition& partition, nlohmann::json& diagnostics) {
  diagnostics["log_partition"] = partition.value;
  diagnostics["log_partition_lower"] = partition.lower;
  diagnostics["log_partition_upper"] = partition.upper;
  diagnostics["log_partition_exact"] = partition.exact;
  if (partition.effective_samples > 0) diagnostics["effective_samples"] = partition.effective_samples;
}

LogPartition partition_of(const nlohmann::json& diagnostics) {
  const auto number = [&](const char* key, double otherwise) {
    const auto& value = diagnostics.at(key);
    return value.is_number() && std::isfinite(value.get<double>()) ? value.get<double>() : otherwise;
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return {number("log_partition", 0), number("log_partition_lower", -kInfinity),
          number("log_partition_upper", kInfinity), diagnostics.at("log_partition_exact")};
}

torch::Tensor standard_normal_cross_entropy(const Posterior& q) {
  return 0.5 * (q.mean.pow(2) + torch::exp(2 * q.log_std)).sum(1);
}

LogPartition standard_normal_log_partition(std::int64_t dim) {
  const double value = 0.5 * static_cast<double>(dim) * std::log(2 * std::numbers::pi);
  return {value, value, value};
}

torch::Tensor GaussianPrior::cross_entropy(const Posterior& q, const Sample&) const {
  return standard_normal_cross_entropy(q);
}

torch::Tensor GaussianPrior::sample(std::int64_t n, torch::Generator& generator) {
  return torch::randn({n, dim_}, generator);
}

LogPartition GaussianPrior::log_partition() { return standard_normal_log_partition(dim_); }

std::vector<double> values_of(const torch::Tensor& tensor) {
  const auto values = tensor.detach().to(torch::kCPU, torch::kFloat64).contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

namespace {

using Factory = std::shared_ptr<Prior> (*)(const PriorOptions&, std::uint64_t);

template <class P>
std::shared_ptr<Prior> make(const PriorOptions& options, std::uint64_t seed) {
  if constexpr (std::is_constructible_v<P, const PriorOptions&, std::uint64_t>)
    return std::make_shared<P>(options, seed);
  else
    return std::make_shared<P>(options);
}

const std::vector<std::pair<std::string, Factory>>& factories() {
  static const std::vector<std::pair<std::string, Factory>> all{
      {"gaussian", make<GaussianPrior>},
      {"mixture", make<MixturePrior>},
      {"vamp", make<VampPrior>},
      {"flow", make<FlowPrior>},
      {"gbrbm", make<GaussianBernoulliRbm>},
      {"ebm", make<EbmPrior>},
      {"ebm-snl", make<EbmSnlPrior>},
      {"diffusion-ebm", make<DiffusionEbmPrior>},
      {"bernoulli", make<BernoulliPrior>},
      {"rbm", make<RestrictedBoltzmann>},
      {"rbm-hidden", make<HiddenRbm>},
      {"boltzmann", make<BoltzmannPrior>},
      {"dbm", make<DeepBoltzmann>},
      {"qbm", make<QuantumBoltzmann>},
      {"rbm+gaussian", make<RbmWithGaussians>},
  };
  return all;
}

}  // namespace

std::vector<std::string> prior_kinds() {
  std::vector<std::string> names;
  for (const auto& [name, factory] : factories()) names.push_back(name);
  return names;
}

std::shared_ptr<Prior> make_prior(const PriorOptions& options, std::uint64_t seed) {
  static const std::vector<std::string> kSampled{"gbrbm",     "rbm", "rbm-hidden",
                                                 "boltzmann", "dbm", "rbm+gaussian"};
  if (options.sampler != "gibbs" &&
      std::find(kSampled.begin(), kSampled.end(), options.kind) == kSampled.end())
    throw UsageError(fmt::format("--sampler {} does not go with --prior {}, but with one of: {}",
                                 options.sampler, options.kind, fmt::join(kSampled, ", ")));
  for (const auto& [name, factory] : factories())
    if (name == options.kind) return factory(options, seed);
  fail("--prior is '{}', which does not exist", options.kind);
}

}  // namespace cryoscape::latent
