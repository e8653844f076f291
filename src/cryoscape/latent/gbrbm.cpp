#include <cmath>
#include <numbers>

#include "cryoscape/latent/annealed_adam.hpp"
#include "cryoscape/latent/chain_sampler.hpp"
#include "cryoscape/latent/noise.hpp"
#include "cryoscape/latent/partition.hpp"
#include "cryoscape/latent/priors.hpp"

namespace cryoscape::latent {
namespace {

constexpr double kLearningRate = 1e-3;
constexpr int kTemperatures = 1000, kSampleSweeps = 200, kStartSweeps = 100;
constexpr std::int64_t kObservedChains = 64;
constexpr int kObservedSteps = 500;
constexpr double kLeastWidth = 1e-4;
constexpr double kMemory = 0.99;          ///< of the running energy of data
constexpr std::int64_t kFittedBits = 12;  ///< bits that the start is fitted with; more start idle
constexpr std::int64_t kStartPoints =
    5000;  ///< samples of the aggregate posterior that the start is fitted to

/// Points of the aggregate posterior. Few particles are drawn from more than once, so that a fit sees their
/// posteriors' width.
torch::Tensor aggregate_points(const torch::Tensor& means, const torch::Tensor& deviations,
                               torch::Generator& generator) {
  const auto rows = torch::randperm(means.size(0), generator, torch::kInt64);
  const auto picked = rows.index({torch::arange(kStartPoints).remainder(means.size(0))});
  const auto centre = means.index({picked});
  return centre + deviations.index({picked}) * torch::randn(centre.sizes(), generator, centre.options());
}

}  // namespace

GaussianBernoulliRbm::GaussianBernoulliRbm(const PriorOptions& options, std::uint64_t seed)
    : dim_(options.dim),
      hidden_(options.hidden),
      sweeps_(options.sweeps),
      sampler_(options.sampler),
      draws_(options.chains) {
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(seed);
  b_ = register_parameter("b", torch::zeros({dim_}));
  log_sigma_ = register_parameter("log_sigma", torch::zeros({dim_}));
  fields_ = register_parameter("fields", torch::zeros({hidden_}));
  w_ = register_parameter("w", 0.01 * torch::randn({dim_, hidden_}, generator));
  active_ = register_buffer("active", torch::zeros({1}));
  if (exact()) return;
  chains_ = register_buffer("chains", torch::randn({options.chains, dim_}, generator));
  positive_ = register_buffer("positive", torch::zeros({1}));
  steps_ = register_buffer("steps", torch::zeros({1}));
}

torch::Tensor GaussianBernoulliRbm::energy(const torch::Tensor& z) const {
  return active() ? gbrbm_energy(density(), z) : 0.5 * z.pow(2).sum(1);
}

torch::Tensor GaussianBernoulliRbm::cross_entropy(const Posterior& q, const Sample& sample) const {
  if (!active()) return standard_normal_cross_entropy(q);
  return fixed_energy(sample.smooth);
}

torch::Tensor GaussianBernoulliRbm::gibbs(torch::Tensor z, int sweeps, torch::Generator& generator) const {
  torch::NoGradGuard no_grad;
  for (int s = 0; s < sweeps; ++s) z = gibbs_sweep(density(), z, generator);
  return z;
}

torch::Tensor GaussianBernoulliRbm::contrast(const Posterior&, const Sample& sample,
                                             torch::Generator& generator) {
  if (!active()) return {};
  const auto positive = energy(sample.hard.detach()).mean();
  if (sampler_.given()) return positive - energy(sampler_draws(generator)).mean();
  if (exact()) return positive + gbrbm_log_partition(density());
  {
    torch::NoGradGuard no_grad;
    chains_.copy_(gibbs(chains_, sweeps_, generator));
    positive_.mul_(kMemory).add_((1 - kMemory) * positive);
  }
  return positive - energy(chains_).mean();
}

/// Latents of hidden bits drawn by the Ising sampler.
torch::Tensor GaussianBernoulliRbm::sampler_draws(torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const DenseUnits hidden{fields_.detach(), w_.t().mm(w_).fill_diagonal_(0)};
  const auto h = sampler_.draw(hidden, draws_, generator);
  const auto noise = normal({h.size(0), dim_}, generator, b_.options());
  return b_ + torch::exp(log_sigma_) * (h.mm(w_.t()) + noise);
}

torch::Tensor GaussianBernoulliRbm::sample(std::int64_t n, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto noise = normal({n, dim_}, generator, b_.options());
  if (!active()) return noise;
  if (!exact()) {
    const auto start = torch::randint(chains_.size(0), {n}, generator, torch::kInt64);
    return gibbs(chains_.index({start}), kSampleSweeps, generator);
  }
  const auto weights = torch::softmax(hidden_log_weights(density()).to(torch::kFloat64), 0);
  const auto h = bits_of(categorical(weights, n, generator), hidden_, noise.options());
  return b_ + torch::exp(log_sigma_) * (h.mm(w_.t()) + noise);
}

LogPartition GaussianBernoulliRbm::log_partition() {
  torch::NoGradGuard no_grad;
  double value = 0.5 * static_cast<double>(dim_) * std::log(2 * std::numbers::pi);
  if (active()) {
    if (!exact()) {
      auto generator = torch::make_generator<at::CPUGeneratorImpl>(kAnnealingSeed);
      return annealed_bracket(gibbs(chains_, kSampleSweeps, generator), kTemperatures, generator);
    }
    value = gbrbm_log_partition(density()).item<double>();
  }
  return {value, value, value, true};
}

LogPartition GaussianBernoulliRbm::annealed_bracket(const torch::Tensor& equilibrated, int temperatures,
                                                    torch::Generator& generator) const {
  torch::NoGradGuard no_grad;
  // Annealed along W → βW: at β = 0 hidden bits and z are independent.
  const auto annealed = [&](double beta) { return GbrbmParameters{b_, log_sigma_, fields_, beta * w_}; };
  AnnealedModel model;
  model.log_partition_at_zero = 0.5 * static_cast<double>(dim_) * std::log(2 * std::numbers::pi) +
                                log_sigma_.sum().item<double>() +
                                torch::softplus(fields_).sum().item<double>();
  model.sample_at_zero = [&](std::int64_t n) {
    return b_ + torch::exp(log_sigma_) * normal({n, dim_}, generator, equilibrated.options());
  };
  model.log_weight = [&](const torch::Tensor& z, double beta) { return -gbrbm_energy(annealed(beta), z); };
  model.transition = [&](const torch::Tensor& z, double beta) {
    return gibbs_sweep(annealed(beta), z, generator);
  };
  return annealed_log_partition(model, equilibrated, temperatures);
}

std::unique_ptr<torch::optim::Optimizer> GaussianBernoulliRbm::make_optimiser() {
  // The sampled contrast is noisier than the exact one.
  if (!exact())
    return std::make_unique<AnnealedAdam>(std::vector<RatedParameters>{{parameters(), kLearningRate}},
                                          steps_);
  return std::make_unique<torch::optim::Adam>(parameters(), torch::optim::AdamOptions(kLearningRate));
}

void GaussianBernoulliRbm::start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                                      torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto z = aggregate_points(means, deviations, generator);
  const auto fitted = std::min(hidden_, kFittedBits);
  const auto p = fit_gbrbm(z, fitted, generator);
  b_.copy_(p.b);
  log_sigma_.copy_(p.log_sigma);
  fields_.zero_();
  w_.copy_(0.01 * torch::randn(w_.sizes(), generator, z.options()));
  fields_.narrow(0, 0, fitted).copy_(p.fields);
  w_.narrow(1, 0, fitted).copy_(p.w);
  activate(z, generator);
}

void GaussianBernoulliRbm::start_along(const torch::Tensor& participation, const torch::Tensor& means,
                                       const torch::Tensor& deviations, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto z = aggregate_points(means, deviations, generator);
  const auto width = z.std(0, false).clamp_min(kLeastWidth);
  const auto steps = width.unsqueeze(1) * participation.to(z.options());  // of z, by hidden bits
  // What is left of the variance once evenly split bits have taken their part.
  const auto rest = (width.pow(2) - 0.25 * steps.pow(2).sum(1)).clamp_min(0.25 * width.pow(2)).sqrt();
  b_.copy_(z.mean(0) - 0.5 * steps.sum(1));
  log_sigma_.copy_(torch::log(rest));
  w_.copy_(0.01 * torch::randn(w_.sizes(), generator, z.options()));
  w_.narrow(1, 0, steps.size(1)).copy_(steps / rest.unsqueeze(1));
  // Undecided at the mean of the others.
  const auto couplings = w_.t().mm(w_).fill_diagonal_(0);
  fields_.copy_(-0.5 * couplings.sum(1));
  activate(z, generator);
}

void GaussianBernoulliRbm::activate(const torch::Tensor& z, torch::Generator& generator) {
  active_.fill_(1);
  if (!exact()) {
    const auto start = torch::randint(z.size(0), {chains_.size(0)}, generator, torch::kInt64);
    chains_.copy_(gibbs(z.index({start}).to(chains_.device()), kStartSweeps, generator));
    positive_.fill_(energy(z.to(chains_.device())).mean());
  }
}

nlohmann::json GaussianBernoulliRbm::diagnostics() {
  torch::NoGradGuard no_grad;
  auto json = Prior::diagnostics();
  sampler_.record(json);
  json["singular_values"] = values_of(torch::linalg_svdvals(w_));
  if (!active() || exact()) return json;
  const auto chain_energies = energy(chains_);
  json["negative_energy"] = chain_energies.mean().item<double>();
  json["positive_energy"] = positive_.item<double>();
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(kAnnealingSeed);
  auto z = chains_.narrow(0, 0, std::min(kObservedChains, chains_.size(0)));
  const auto mixing = observed_mixing(kObservedSteps, [&] {
    z = gibbs(z, sweeps_, generator);
    return energy(z);
  });
  report_mixing(json, mixing, "raise --sweeps or --chains, or take up to 20 --hidden-bits");
  return json;
}

}  // namespace cryoscape::latent
