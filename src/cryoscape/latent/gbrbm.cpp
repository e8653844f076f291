#include <cmath>
#include <numbers>

#include "cryoscape/latent/kmeans.hpp"
#include "cryoscape/latent/partition.hpp"
#include "cryoscape/latent/priors.hpp"

namespace cryoscape::latent {
namespace {

constexpr std::int64_t kExactTraining = 12, kExactPartition = 20;
constexpr double kLearningRate = 2e-3, kStartLearningRate = 2e-2;
constexpr int kStartAttempts = 4, kStartSteps = 400, kTemperatures = 1000;
constexpr std::int64_t kStartBatch = 1024;

}  // namespace

GaussianBernoulliRbm::GaussianBernoulliRbm(const PriorOptions& options, std::uint64_t seed)
    : dim_(options.dim), hidden_(options.hidden), sweeps_(options.sweeps) {
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(seed);
  b_ = register_parameter("b", torch::zeros({dim_}));
  log_sigma_ = register_parameter("log_sigma", torch::zeros({dim_}));
  c_ = register_parameter("c", torch::zeros({hidden_}));
  w_ = register_parameter("w", 0.01 * torch::randn({dim_, hidden_}, generator));
  active_ = register_buffer("active", torch::zeros({1}));
  chains_ = register_buffer("chains", torch::randn({options.chains, dim_}, generator));
  if (hidden_ <= kExactPartition) states_ = binary_states(hidden_, torch::kFloat32);
}

torch::Tensor GaussianBernoulliRbm::energy_with(const torch::Tensor& z, const torch::Tensor& b,
                                                const torch::Tensor& log_sigma, const torch::Tensor& c,
                                                const torch::Tensor& w) const {
  const auto inverse = torch::exp(-log_sigma);
  return 0.5 * ((z - b) * inverse).pow(2).sum(1) - torch::softplus(c + (z * inverse).mm(w)).sum(1);
}

torch::Tensor GaussianBernoulliRbm::energy(const torch::Tensor& z) const {
  return active() ? energy_with(z, b_, log_sigma_, c_, w_) : 0.5 * z.pow(2).sum(1);
}

torch::Tensor GaussianBernoulliRbm::cross_entropy(const Posterior& q, const Sample& sample) const {
  if (!active()) return 0.5 * (q.mean.pow(2) + torch::exp(2 * q.log_std)).sum(1);
  return energy_with(sample.smooth, b_.detach(), log_sigma_.detach(), c_.detach(), w_.detach());
}

torch::Tensor GaussianBernoulliRbm::hidden_log_weights() const {
  // Fields c + Wᵀ(b/σ), and ½‖Wh‖², which holds the couplings and the diagonal.
  const auto fields = c_ + w_.t().mv(b_ * torch::exp(-log_sigma_));
  const auto states = states_.to(w_.dtype());
  return states.mv(fields) + 0.5 * states.mm(w_.t()).pow(2).sum(1);
}

torch::Tensor GaussianBernoulliRbm::log_partition_exact() const {
  return 0.5 * static_cast<double>(dim_) * std::log(2 * std::numbers::pi) + log_sigma_.sum() +
         torch::logsumexp(hidden_log_weights(), 0);
}

torch::Tensor GaussianBernoulliRbm::gibbs(torch::Tensor z, int sweeps, torch::Generator& generator) const {
  torch::NoGradGuard no_grad;
  const auto sigma = torch::exp(log_sigma_);
  for (int s = 0; s < sweeps; ++s) {
    const auto p = torch::sigmoid(c_ + (z / sigma).mm(w_));
    const auto h = (uniform_like(p, generator) < p).to(z.dtype());
    z = b_ + sigma * (h.mm(w_.t()) + torch::randn(z.sizes(), generator, z.options()));
  }
  return z;
}

torch::Tensor GaussianBernoulliRbm::contrast(const Posterior&, const Sample& sample,
                                             torch::Generator& generator) {
  if (!active()) return {};
  const auto positive = energy(sample.hard.detach()).mean();
  if (hidden_ <= kExactTraining) return positive + log_partition_exact();
  chains_.copy_(gibbs(chains_, sweeps_, generator));
  return positive - energy(chains_).mean();
}

torch::Tensor GaussianBernoulliRbm::sample(std::int64_t n, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto noise = torch::randn({n, dim_}, generator, b_.options().requires_grad(false));
  if (!active()) return noise;
  if (hidden_ > kExactPartition) {
    const auto start = torch::randint(chains_.size(0), {n}, generator, torch::kInt64);
    return gibbs(chains_.index({start}), 200, generator);
  }
  const auto k = torch::multinomial(torch::softmax(hidden_log_weights(), 0), n, true, generator);
  const auto h = states_.index({k}).to(b_.dtype());
  return b_ + torch::exp(log_sigma_) * (h.mm(w_.t()) + noise);
}

LogPartition GaussianBernoulliRbm::log_partition() {
  torch::NoGradGuard no_grad;
  if (!active()) {
    const double value = 0.5 * static_cast<double>(dim_) * std::log(2 * std::numbers::pi);
    return {value, value, value, true};
  }
  if (hidden_ <= kExactPartition) {
    const double value = log_partition_exact().item<double>();
    return {value, value, value, true};
  }
  // Annealed along W → βW, with z sampled given h: at β = 0 hidden bits and z are independent.
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(12345);
  const auto sigma = torch::exp(log_sigma_);
  AnnealedModel model;
  model.log_partition_at_zero = 0.5 * static_cast<double>(dim_) * std::log(2 * std::numbers::pi) +
                                log_sigma_.sum().item<double>() + torch::softplus(c_).sum().item<double>();
  model.sample_at_zero = [&](std::int64_t n) { return b_ + sigma * torch::randn({n, dim_}, generator); };
  model.log_weight = [&](const torch::Tensor& z, double beta) {
    return -energy_with(z, b_, log_sigma_, c_, beta * w_);
  };
  model.transition = [&](const torch::Tensor& z, double beta) {
    const auto p = torch::sigmoid(c_ + beta * (z / sigma).mm(w_));
    const auto h = (uniform_like(p, generator) < p).to(z.dtype());
    return b_ + sigma * (beta * h.mm(w_.t()) + torch::randn(z.sizes(), generator, z.options()));
  };
  return annealed_log_partition(model, gibbs(chains_, 200, generator), kTemperatures);
}

std::unique_ptr<torch::optim::Optimizer> GaussianBernoulliRbm::make_optimiser() {
  return std::make_unique<torch::optim::Adam>(parameters(), torch::optim::AdamOptions(kLearningRate));
}

/// One start: σ from the spread within k-means clusters, hidden bits as steps between the clusters' centres
/// with small random noise.
void GaussianBernoulliRbm::start_from(const torch::Tensor& z, int attempt, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const std::int64_t k = std::min<std::int64_t>(hidden_ + 1, 2 + attempt);
  const auto clusters = kmeans(z, k, 30, generator);
  const auto within = (z - clusters.centres.index({clusters.labels})).pow(2).mean(0).sqrt().clamp_min(1e-3);
  const auto counts = torch::bincount(clusters.labels, {}, k).to(z.dtype());
  const auto order = counts.argsort(0, true);
  const auto origin = clusters.centres[order[0].item<std::int64_t>()];
  log_sigma_.copy_(torch::log(within));
  b_.copy_(origin);
  w_.copy_(0.05 * torch::randn(w_.sizes(), generator));
  c_.zero_();
  for (std::int64_t j = 0; j + 1 < k; ++j) {
    const auto cluster = order[j + 1].item<std::int64_t>();
    const auto step = (clusters.centres[cluster] - origin) / within;
    w_.select(1, j).copy_(step);
    const auto ratio =
        torch::log(counts[cluster].clamp_min(1) / counts[order[0].item<std::int64_t>()].clamp_min(1));
    c_[j].copy_(ratio - (origin / within).dot(step) - 0.5 * step.pow(2).sum());
  }
}

void GaussianBernoulliRbm::after_warm_up(const torch::Tensor& means, const torch::Tensor& deviations,
                                         torch::Generator& generator) {
  active_.fill_(1);
  const auto z = means + deviations * torch::randn(means.sizes(), generator);
  if (hidden_ > kExactTraining) {
    start_from(z, kStartAttempts, generator);
    chains_.copy_(gibbs(z.index({torch::randint(z.size(0), {chains_.size(0)}, generator, torch::kInt64)}), 1,
                        generator));
    return;
  }
  // Several starts are fitted to the aggregate posterior; the likeliest is kept.
  std::vector<torch::Tensor> best;
  double best_score = -1e300;
  for (int attempt = 0; attempt < kStartAttempts; ++attempt) {
    start_from(z, attempt, generator);
    torch::optim::Adam optimiser(parameters(), torch::optim::AdamOptions(kStartLearningRate));
    for (int step = 0; step < kStartSteps; ++step) {
      optimiser.zero_grad();
      const auto rows =
          torch::randint(z.size(0), {std::min(kStartBatch, z.size(0))}, generator, torch::kInt64);
      (energy(z.index({rows})).mean() + log_partition_exact()).backward();
      optimiser.step();
    }
    torch::NoGradGuard no_grad;
    const double score = -(energy(z).mean() + log_partition_exact()).item<double>();
    if (score <= best_score) continue;
    best_score = score;
    best.clear();
    for (const auto& p : parameters()) best.push_back(p.detach().clone());
  }
  torch::NoGradGuard no_grad;
  const auto own = parameters();
  for (std::size_t i = 0; i < own.size(); ++i) own[i].copy_(best[i]);
  zero_grad();
}

nlohmann::json GaussianBernoulliRbm::diagnostics() {
  auto json = Prior::diagnostics();
  const auto s = torch::linalg_svdvals(w_.detach()).contiguous();
  json["singular_values"] = std::vector<float>(s.data_ptr<float>(), s.data_ptr<float>() + s.numel());
  return json;
}

}  // namespace cryoscape::latent
