#include "cryoscape/latent/mixture_density.hpp"

#include <cmath>
#include <numbers>

#include "cryoscape/latent/kmeans.hpp"
#include "cryoscape/latent/noise.hpp"

namespace cryoscape::latent {
namespace {

constexpr int kIterations = 50;
/// Smallest variance, as a share of the largest dimension's and in absolute terms: latents that do not vary
/// at all still have a density.
constexpr double kRidge = 1e-6, kLeastVariance = 1e-8;

}  // namespace

torch::Tensor mixture_energy(const MixtureParameters& p, const torch::Tensor& z) {
  const auto offset = z.unsqueeze(0) - p.means.unsqueeze(1);        // (K, B, d)
  const auto square = torch::bmm(offset, p.factors).pow(2).sum(2);  // |Aᵀ(z − μ)|²
  const auto log_det = torch::log(torch::diagonal(p.factors, 0, 1, 2)).sum(1);
  const auto constant = torch::log_softmax(p.logits, 0) + log_det -
                        0.5 * static_cast<double>(z.size(1)) * std::log(2 * std::numbers::pi);
  return -torch::logsumexp(constant.unsqueeze(1) - 0.5 * square, 0);
}

torch::Tensor sample_mixture(const MixtureParameters& p, std::int64_t n, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto noise = normal({n, p.means.size(1)}, generator, p.means.options());
  const auto k = categorical(torch::softmax(p.logits, 0), n, generator);
  const auto x = torch::linalg_solve(p.factors.index({k}).transpose(1, 2), noise.unsqueeze(2), true);
  return p.means.index({k}) + x.squeeze(2);
}

ClusterMoments cluster_moments(const torch::Tensor& means, const torch::Tensor& deviations,
                               std::int64_t clusters, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto x = means.to(torch::kFloat64);
  const auto d = x.size(1);
  const auto found = kmeans(x, clusters, kIterations, generator);
  const auto own = deviations.to(torch::kFloat64).pow(2).mean(0), spread = x.var(0, false);
  const double ridge = kRidge * (own + spread).max().item<double>() + kLeastVariance;
  const auto variance = torch::diag(own + ridge);
  const auto overall = torch::diag(spread) / static_cast<double>(clusters);
  ClusterMoments out{torch::empty({clusters}, x.options()), found.centres,
                     torch::empty({clusters, d, d}, x.options())};
  for (std::int64_t k = 0; k < clusters; ++k) {
    const auto members = x.index({found.labels == k}) - found.centres[k];
    const auto count = static_cast<double>(members.size(0));
    out.covariances[k] = variance + (members.size(0) > 2 * d ? members.t().mm(members) / count : overall);
    out.log_weights[k] = std::log((count + 1) / static_cast<double>(x.size(0) + clusters));
  }
  return out;
}

}  // namespace cryoscape::latent
