#include <cmath>

#include "cryoscape/latent/partition.hpp"
#include "cryoscape/latent/priors.hpp"

namespace cryoscape::latent {
namespace {

constexpr std::int64_t kExactSide = 20;
constexpr double kLearningRate = 0.02, kWeightDecay = 1e-4, kOffsetRate = 0.01;
constexpr int kTemperatures = 1000, kSampleSweeps = 200;

torch::Tensor bernoulli(const torch::Tensor& p, torch::Generator& generator) {
  return (uniform_like(p, generator) < p).to(p.dtype());
}

}  // namespace

RestrictedBoltzmann::RestrictedBoltzmann(const PriorOptions& options, std::uint64_t seed)
    : Prior(options.smoothing),
      left_(options.bits / 2),
      right_(options.bits - options.bits / 2),
      sweeps_(options.sweeps) {
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(seed);
  b_ = register_parameter("b", torch::zeros({left_ + right_}));
  w_ = register_parameter("w", 0.01 * torch::randn({left_, right_}, generator));
  chains_ =
      register_buffer("chains", bernoulli(torch::full({options.chains, left_ + right_}, 0.5), generator));
  offsets_ = register_buffer("offsets", torch::full({left_ + right_}, 0.5));
}

torch::Tensor RestrictedBoltzmann::energy(const torch::Tensor& z) const {
  const auto left = z.narrow(1, 0, left_), right = z.narrow(1, left_, right_);
  return -z.mv(b_) - (left.mm(w_) * right).sum(1);
}

torch::Tensor RestrictedBoltzmann::cross_entropy(const Posterior& posterior, const Sample&) const {
  // Exact for a factorised q: every term is multilinear in independent bits.
  const auto q = torch::sigmoid(posterior.mean);
  const auto left = q.narrow(1, 0, left_), right = q.narrow(1, left_, right_);
  return -q.mv(b_.detach()) - (left.mm(w_.detach()) * right).sum(1);
}

/// −∂⟨E⟩/∂W with centred variables: ⟨(z₁ − o₁)(z₂ − o₂)ᵀ⟩.
torch::Tensor RestrictedBoltzmann::centred_correlation(const torch::Tensor& z) const {
  const auto c = z - offsets_;
  return c.narrow(1, 0, left_).t().mm(c.narrow(1, left_, right_)) / static_cast<double>(z.size(0));
}

torch::Tensor RestrictedBoltzmann::contrast(const Posterior& posterior, const Sample&,
                                            torch::Generator& generator) {
  const auto q = torch::sigmoid(posterior.mean.detach());
  {
    torch::NoGradGuard no_grad;
    chains_.copy_(gibbs(chains_, sweeps_, generator));
    offsets_.mul_(1 - kOffsetRate).add_(0.5 * kOffsetRate * (q.mean(0) + chains_.mean(0)));
  }
  // Bits are independent given x, so the batch of probabilities gives the positive phase exactly. The centred
  // gradient, written for the plain biases b = b' − (W o₂, Wᵀ o₁): a step of W leaves the mean fields where
  // they are.
  const auto by_w = centred_correlation(q) - centred_correlation(chains_);
  const auto shift =
      torch::cat({by_w.mv(offsets_.narrow(0, left_, right_)), by_w.t().mv(offsets_.narrow(0, 0, left_))});
  const auto by_b = q.mean(0) - chains_.mean(0) - shift;
  return -(w_ * by_w.detach()).sum() - b_.dot(by_b.detach());
}

torch::Tensor RestrictedBoltzmann::gibbs(torch::Tensor z, int sweeps, torch::Generator& generator) const {
  torch::NoGradGuard no_grad;
  auto right = z.narrow(1, left_, right_);
  torch::Tensor left;
  const auto b1 = b_.narrow(0, 0, left_), b2 = b_.narrow(0, left_, right_);
  const auto wt = w_.t().contiguous();
  for (int s = 0; s < sweeps; ++s) {
    left = bernoulli(torch::sigmoid(torch::addmm(b1, right, wt)), generator);
    right = bernoulli(torch::sigmoid(torch::addmm(b2, left, w_)), generator);
  }
  return torch::cat({left, right}, 1);
}

torch::Tensor RestrictedBoltzmann::sample(std::int64_t n, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto start = torch::randint(chains_.size(0), {n}, generator, torch::kInt64);
  return gibbs(chains_.index({start}), kSampleSweeps, generator);
}

LogPartition RestrictedBoltzmann::log_partition() {
  torch::NoGradGuard no_grad;
  const auto b1 = b_.narrow(0, 0, left_), b2 = b_.narrow(0, left_, right_);
  if (std::min(left_, right_) <= kExactSide) {
    // Sum over the smaller side; the other factorises.
    const bool over_left = left_ <= right_;
    const auto states = binary_states(std::min(left_, right_), b_.options());
    const auto own = over_left ? b1 : b2, other = over_left ? b2 : b1;
    const auto w = over_left ? w_ : w_.t();
    const auto terms = states.mv(own) + torch::softplus(other + states.mm(w)).sum(1);
    const double value = torch::logsumexp(terms.to(torch::kFloat64), 0).item<double>();
    return {value, value, value, true};
  }
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(kAnnealingSeed);
  return annealed_bracket(gibbs(chains_, kSampleSweeps, generator), kTemperatures, generator);
}

LogPartition RestrictedBoltzmann::annealed_bracket(const torch::Tensor& equilibrated, int temperatures,
                                                   torch::Generator& generator) const {
  torch::NoGradGuard no_grad;
  const auto b1 = b_.narrow(0, 0, left_), b2 = b_.narrow(0, left_, right_);
  AnnealedModel model;
  model.log_partition_at_zero = torch::softplus(b_).sum().item<double>();
  model.sample_at_zero = [&](std::int64_t n) {
    return bernoulli(torch::sigmoid(b_).expand({n, left_ + right_}), generator);
  };
  // The right side is summed out, annealed along W → βW.
  model.log_weight = [&](const torch::Tensor& z, double beta) {
    const auto left = z.narrow(1, 0, left_);
    return left.mv(b1) + torch::softplus(b2 + beta * left.mm(w_)).sum(1);
  };
  model.transition = [&](const torch::Tensor& z, double beta) {
    const auto right = bernoulli(torch::sigmoid(b2 + beta * z.narrow(1, 0, left_).mm(w_)), generator);
    const auto left = bernoulli(torch::sigmoid(b1 + beta * right.mm(w_.t())), generator);
    return torch::cat({left, right}, 1);
  };
  return annealed_log_partition(model, equilibrated, temperatures);
}

std::unique_ptr<torch::optim::Optimizer> RestrictedBoltzmann::make_optimiser() {
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<torch::Tensor>{b_});
  groups.emplace_back(std::vector<torch::Tensor>{w_},
                      std::make_unique<torch::optim::SGDOptions>(
                          torch::optim::SGDOptions(kLearningRate).weight_decay(kWeightDecay)));
  return std::make_unique<torch::optim::SGD>(groups, torch::optim::SGDOptions(kLearningRate));
}

void RestrictedBoltzmann::set_parameters(const torch::Tensor& biases, const torch::Tensor& couplings) {
  torch::NoGradGuard no_grad;
  b_.copy_(biases);
  w_.copy_(couplings);
}

nlohmann::json RestrictedBoltzmann::diagnostics() {
  auto json = Prior::diagnostics();
  torch::NoGradGuard no_grad;
  json["singular_values"] = values_of(torch::linalg_svdvals(w_));
  json["chain_energy"] = energy(chains_).mean().item<double>();
  return json;
}

}  // namespace cryoscape::latent
