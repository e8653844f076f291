#include <cmath>
#include <stdexcept>

#include "cryoscape/latent/mixture_density.hpp"
#include "cryoscape/latent/noise.hpp"
#include "cryoscape/latent/priors.hpp"

namespace cryoscape::latent {
namespace {

constexpr double kLearningRate = 2e-3;
/// Smallest conditional standard deviation, as a share of the median posterior's and in absolute terms; and
/// how far above it a start is at least.
constexpr double kFloorShare = 0.25, kLeastFloor = 1e-4, kLeastAboveFloor = 0.05;
constexpr double kNoWeight = -30;  ///< logit of components that a given density lacks

}  // namespace

MixturePrior::MixturePrior(std::int64_t dim, std::int64_t components, Covariance covariance)
    : dim_(dim), components_(components) {
  logits_ = register_parameter("logits", torch::zeros({components_}));
  means_ = register_parameter("means", torch::zeros({components_, dim_}));
  log_scale_ = register_parameter("log_scale", torch::zeros({components_, dim_}));
  if (covariance == Covariance::kFull)
    lower_ = register_parameter("lower", torch::zeros({components_, dim_, dim_}));
  floor_ = register_buffer("floor", torch::zeros({dim_}));
  active_ = register_buffer("active", torch::zeros({1}));
}

/// Factors A are lower triangular with diagonal 1/(floor + e^{log scale}).
MixtureParameters MixturePrior::density() const {
  const auto diagonal = torch::diag_embed(1 / (floor_ + torch::exp(log_scale_)));
  return {logits_, means_, lower_.defined() ? torch::tril(lower_, -1) + diagonal : diagonal};
}

torch::Tensor MixturePrior::energy(const torch::Tensor& z) const {
  if (!active()) return 0.5 * z.pow(2).sum(1) + standard_normal_log_partition(dim_).value;
  return mixture_energy(density(), z);
}

torch::Tensor MixturePrior::contrast(const Posterior&, const Sample& sample, torch::Generator&) {
  return active() ? energy(sample.hard.detach()).mean() : torch::Tensor();
}

torch::Tensor MixturePrior::sample(std::int64_t n, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  return active() ? sample_mixture(density(), n, generator) : normal({n, dim_}, generator, means_.options());
}

std::unique_ptr<torch::optim::Optimizer> MixturePrior::make_optimiser() {
  return std::make_unique<torch::optim::Adam>(parameters(), torch::optim::AdamOptions(kLearningRate));
}

void MixturePrior::start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                              torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto floor = (kFloorShare * std::get<0>(deviations.median(0))).clamp_min(kLeastFloor);
  const auto found = cluster_moments(means, deviations, components_, generator);
  auto factors = torch::diag_embed(torch::diagonal(found.covariances, 0, 1, 2).rsqrt());
  if (lower_.defined()) {
    factors = torch::linalg_cholesky(torch::linalg_inv(found.covariances));
    lower_.copy_(torch::tril(factors, -1));
  }
  const auto scale = torch::maximum(1 / torch::diagonal(factors, 0, 1, 2) - floor, kLeastAboveFloor * floor);
  floor_.copy_(floor);
  log_scale_.copy_(torch::log(scale));
  means_.copy_(found.centres);
  logits_.copy_(found.log_weights);
  active_.fill_(1);
}

void MixturePrior::set_density(const MixtureParameters& p) {
  torch::NoGradGuard no_grad;
  const auto given = p.logits.size(0);
  if (given < 1 || given > components_ || p.means.size(1) != dim_ || !lower_.defined())
    throw std::invalid_argument("a density of another form than the mixture prior's");
  const auto kept = torch::arange(components_, torch::kInt64).clamp_max(given - 1);
  const auto scale = 1 / torch::diagonal(p.factors, 0, 1, 2);
  floor_.copy_(torch::minimum(floor_, kFloorShare * std::get<0>(scale.min(0)).to(floor_.options())));
  log_scale_.copy_(torch::log(scale.index({kept}).to(floor_.options()) - floor_));
  lower_.copy_(torch::tril(p.factors, -1).index({kept}));
  means_.copy_(p.means.index({kept}));
  logits_.fill_(kNoWeight);
  logits_.narrow(0, 0, given).copy_(torch::log_softmax(p.logits, 0));
  active_.fill_(1);
}

nlohmann::json MixturePrior::diagnostics() {
  auto json = Prior::diagnostics();
  json["weights"] = values_of(torch::softmax(logits_, 0));
  return json;
}

}  // namespace cryoscape::latent
