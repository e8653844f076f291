#include <cmath>
#include <numbers>

#include "cryoscape/latent/kmeans.hpp"
#include "cryoscape/latent/noise.hpp"
#include "cryoscape/latent/priors.hpp"

namespace cryoscape::latent {
namespace {

constexpr double kLearningRate = 2e-3;
constexpr double kFloorShare =
    0.25;  ///< smallest conditional standard deviation as a share of the median posterior's

}  // namespace

MixturePrior::MixturePrior(const PriorOptions& options) : dim_(options.dim), components_(options.components) {
  logits_ = register_parameter("logits", torch::zeros({components_}));
  means_ = register_parameter("means", torch::zeros({components_, dim_}));
  log_scale_ = register_parameter("log_scale", torch::zeros({components_, dim_}));
  lower_ = register_parameter("lower", torch::zeros({components_, dim_, dim_}));
  floor_ = register_buffer("floor", torch::zeros({dim_}));
  active_ = register_buffer("active", torch::zeros({1}));
}

/// Cholesky factors (K, d, d) of the precisions: lower triangular, diagonal 1/(floor + e^{log scale}).
torch::Tensor MixturePrior::factors() const {
  return torch::tril(lower_, -1) + torch::diag_embed(1 / (floor_ + torch::exp(log_scale_)));
}

torch::Tensor MixturePrior::energy(const torch::Tensor& z) const {
  if (!active())
    return 0.5 * z.pow(2).sum(1) + 0.5 * static_cast<double>(dim_) * std::log(2 * std::numbers::pi);
  const auto a = factors();
  const auto offset = z.unsqueeze(0) - means_.unsqueeze(1);  // (K, B, d)
  const auto square = torch::bmm(offset, a).pow(2).sum(2);   // |Aᵀ(z − μ)|²
  const auto log_det = torch::log(torch::diagonal(a, 0, 1, 2)).sum(1);
  const auto constant = torch::log_softmax(logits_, 0) + log_det -
                        0.5 * static_cast<double>(dim_) * std::log(2 * std::numbers::pi);
  return -torch::logsumexp(constant.unsqueeze(1) - 0.5 * square, 0);
}

torch::Tensor MixturePrior::contrast(const Posterior&, const Sample& sample, torch::Generator&) {
  return active() ? energy(sample.hard.detach()).mean() : torch::Tensor();
}

torch::Tensor MixturePrior::sample(std::int64_t n, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto noise = normal({n, dim_}, generator, means_.options());
  if (!active()) return noise;
  const auto k = categorical(torch::softmax(logits_, 0), n, generator);
  const auto a = factors().index({k});
  const auto x = torch::linalg_solve(a.transpose(1, 2), noise.unsqueeze(2), true);
  return means_.index({k}) + x.squeeze(2);
}

std::unique_ptr<torch::optim::Optimizer> MixturePrior::make_optimiser() {
  return std::make_unique<torch::optim::Adam>(parameters(), torch::optim::AdamOptions(kLearningRate));
}

void MixturePrior::start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                              torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto floor = kFloorShare * std::get<0>(deviations.median(0));
  floor_.copy_(floor);
  const auto clusters = kmeans(means, components_, 50, generator);
  const auto variance = torch::diag(deviations.pow(2).mean(0));
  const auto overall = torch::diag(means.var(0, false)) / static_cast<double>(components_);
  for (std::int64_t k = 0; k < components_; ++k) {
    const auto members = means.index({clusters.labels == k});
    const auto count = static_cast<double>(members.size(0));
    const auto centre = clusters.centres[k];
    auto covariance = overall + variance;
    if (members.size(0) > 2 * dim_)
      covariance = (members - centre).t().mm(members - centre) / count + variance;
    const auto factor = torch::linalg_cholesky(torch::linalg_inv(covariance));
    const auto scale = torch::maximum(1 / torch::diagonal(factor) - floor, 0.05 * floor + 1e-6);
    log_scale_[k].copy_(torch::log(scale));
    lower_[k].copy_(torch::tril(factor, -1));
    means_[k].copy_(centre);
    logits_[k].fill_(std::log((count + 1) / static_cast<double>(means.size(0) + components_)));
  }
  active_.fill_(1);
}

nlohmann::json MixturePrior::diagnostics() {
  auto json = Prior::diagnostics();
  json["weights"] = values_of(torch::softmax(logits_, 0));
  return json;
}

}  // namespace cryoscape::latent
