#include "cryoscape/latent/bernoulli.hpp"

#include "cryoscape/latent/noise.hpp"

namespace cryoscape::latent {
namespace {

constexpr double kLearningRate = 0.02;

}  // namespace

BernoulliPrior::BernoulliPrior(const PriorOptions& options) : BitPrior(options) {
  b_ = register_parameter("b", torch::zeros({options.bits}));
}

torch::Tensor BernoulliPrior::contrast(const Posterior& posterior, const Sample& sample, torch::Generator&) {
  observe(posterior, sample);
  return energy(positive_bits(posterior, sample)).mean() + torch::softplus(b_).sum();
}

torch::Tensor BernoulliPrior::sample(std::int64_t n, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  return bernoulli_bits(torch::sigmoid(b_).expand({n, bits()}), generator);
}

LogPartition BernoulliPrior::log_partition() {
  const double value = torch::softplus(b_.detach()).sum().item<double>();
  return {value, value, value, true};
}

std::unique_ptr<torch::optim::Optimizer> BernoulliPrior::make_optimiser() {
  return std::make_unique<torch::optim::SGD>(parameters(), torch::optim::SGDOptions(kLearningRate));
}

torch::Tensor BernoulliPrior::expected_energy(const Posterior& posterior) const {
  return fixed_energy(torch::sigmoid(posterior.logits()));
}

std::optional<DenseUnits> BernoulliPrior::pairwise() const {
  const auto b = b_.detach();
  return DenseUnits{b, b.new_zeros({bits(), bits()})};
}

void BernoulliPrior::start_from(const torch::Tensor& means, const torch::Tensor&, torch::Generator&) {
  torch::NoGradGuard no_grad;
  b_.copy_(starting_logits(means.mean(0)));
}

}  // namespace cryoscape::latent
