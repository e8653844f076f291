#include "cryoscape/latent/gbrbm_density.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "cryoscape/latent/kmeans.hpp"
#include "cryoscape/latent/noise.hpp"
#include "cryoscape/latent/partition.hpp"
#include "cryoscape/latent/posterior.hpp"

namespace cryoscape::latent {
namespace {

constexpr int kShortFit = 60,
              kLongFit = 300;  ///< L-BFGS iterations of every start, and of the likeliest ones
constexpr std::size_t kLongFits = 2;
constexpr std::int64_t kMostClusters = 6;
constexpr double kRidge = 1e-4;  ///< keeps couplings of idle bits finite

/// Log weights as a matrix: rows are states of the first bits, columns of the others, so that all pairs cost
/// one product.
struct Blocks {
  torch::Tensor rows, columns;  ///< (2^m₁, m₁), (2^m₂, m₂)
  torch::Tensor log_weights;    ///< (2^m₁, 2^m₂)
};

Blocks enumerate(const GbrbmParameters& p) {
  torch::NoGradGuard no_grad;
  const auto m = p.fields.size(0), first = m / 2, second = m - first;
  const auto couplings = p.w.t().mm(p.w).fill_diagonal_(0);
  const auto own = [&](const torch::Tensor& states, std::int64_t begin) {
    const auto n = states.size(1);
    const auto inner = couplings.narrow(0, begin, n).narrow(1, begin, n);
    return states.mv(p.fields.narrow(0, begin, n)) + 0.5 * (states.mm(inner) * states).sum(1);
  };
  Blocks out{binary_states(first, p.w.options()), binary_states(second, p.w.options()), {}};
  const auto between = out.rows.mm(couplings.narrow(0, 0, first).narrow(1, first, second));
  out.log_weights = torch::addmm(own(out.columns, first), between, out.columns.t());
  out.log_weights.add_(own(out.rows, 0).unsqueeze(1));
  return out;
}

torch::Tensor objective(const GbrbmParameters& p, const torch::Tensor& z) {
  return gbrbm_energy(p, z).mean() + gbrbm_log_partition(p);
}

GbrbmParameters improve(const GbrbmParameters& start, const torch::Tensor& z, int iterations) {
  const torch::AutoGradMode with_gradients(true);
  const auto leaf = [](const torch::Tensor& t) { return t.detach().clone().requires_grad_(); };
  const GbrbmParameters p{leaf(start.b), leaf(start.log_sigma), leaf(start.fields), leaf(start.w)};
  torch::optim::LBFGS optimiser({p.b, p.log_sigma, p.fields, p.w}, torch::optim::LBFGSOptions(1)
                                                                       .max_iter(iterations)
                                                                       .history_size(20)
                                                                       .tolerance_change(1e-7)
                                                                       .line_search_fn("strong_wolfe"));
  optimiser.step([&] {
    optimiser.zero_grad();
    const auto loss = objective(p, z) + kRidge * p.w.pow(2).sum();
    loss.backward();
    return loss;
  });
  return p.detach();
}

struct Fit {
  double objective;
  GbrbmParameters parameters;
};

/// A start with one bit per cluster, its column from the clusters' common centre to its own. Fields of −R²/4
/// make states of one bit heavier than those of none, two or more by e^{R²/4}.
GbrbmParameters cluster_start(const torch::Tensor& z, std::int64_t m, std::int64_t clusters,
                              torch::Generator& generator) {
  const auto found = kmeans(z, clusters, 30, generator);
  const auto within = (z - found.centres.index({found.labels})).pow(2).mean(0).sqrt().clamp_min(1e-3);
  GbrbmParameters p{found.centres.mean(0), torch::log(within), torch::zeros({m}, z.options()),
                    0.05 * torch::randn({z.size(1), m}, generator, z.options())};
  const auto steps = (found.centres - p.b) / within;
  p.w.narrow(1, 0, clusters).copy_(steps.t());
  p.fields.narrow(0, 0, clusters).copy_(0.25 * steps.pow(2).sum(1));
  return p;
}

}  // namespace

torch::Tensor standardised(const GbrbmParameters& p, const torch::Tensor& z) {
  return (z - p.b) * torch::exp(-p.log_sigma);
}

torch::Tensor hidden_fields(const GbrbmParameters& p, const torch::Tensor& u) {
  return p.fields - 0.5 * p.w.pow(2).sum(0) + u.mm(p.w);
}

torch::Tensor gbrbm_energy(const GbrbmParameters& p, const torch::Tensor& z) {
  const auto u = standardised(p, z);
  return 0.5 * u.pow(2).sum(1) - torch::softplus(hidden_fields(p, u)).sum(1);
}

torch::Tensor gibbs_sweep(const GbrbmParameters& p, const torch::Tensor& z, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto odds = torch::sigmoid(hidden_fields(p, standardised(p, z)));
  const auto h = (uniform_like(odds, generator) < odds).to(z.dtype());
  return p.b + torch::exp(p.log_sigma) * (h.mm(p.w.t()) + normal(z.sizes(), generator, z.options()));
}

torch::Tensor hidden_log_weights(const GbrbmParameters& p) {
  return enumerate(p).log_weights.t().reshape(-1);
}

torch::Tensor bits_of(const torch::Tensor& states, std::int64_t m, const torch::TensorOptions& options) {
  const auto shift = torch::arange(m, states.options()).unsqueeze(0);
  return torch::bitwise_and(torch::bitwise_right_shift(states.unsqueeze(1), shift),
                            torch::ones({1}, states.options()))
      .to(options.dtype());
}

torch::Tensor gbrbm_log_partition(const GbrbmParameters& p) {
  torch::Tensor value, mean, second_moment;
  {
    torch::NoGradGuard no_grad;
    const auto blocks = enumerate(p);
    const auto highest = blocks.log_weights.max();
    const auto weights = (blocks.log_weights - highest).exp_();
    const auto rows = weights.sum(1), columns = weights.sum(0);
    const auto total = rows.sum();
    value = highest + torch::log(total);
    mean = torch::cat({blocks.rows.t().mv(rows), blocks.columns.t().mv(columns)}) / total;
    const auto cross = blocks.rows.t().mm(weights.mm(blocks.columns));
    second_moment =
        torch::cat(
            {torch::cat({blocks.rows.t().mm(blocks.rows * rows.unsqueeze(1)), cross}, 1),
             torch::cat({cross.t(), blocks.columns.t().mm(blocks.columns * columns.unsqueeze(1))}, 1)}) /
        total;
  }
  // The sum's derivatives are ⟨h⟩ and, but for the diagonal, W⟨hhᵀ⟩: a term of value 0 carries them.
  second_moment.fill_diagonal_(0);
  const auto carrier = p.fields.dot(mean) + 0.5 * (p.w.mm(second_moment) * p.w).sum();
  const double constant = 0.5 * static_cast<double>(p.b.size(0)) * std::log(2 * std::numbers::pi);
  return constant + p.log_sigma.sum() + value + (carrier - carrier.detach());
}

GbrbmParameters fit_gbrbm(const torch::Tensor& points, std::int64_t m, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto centre = points.mean(0), scale = points.std(0, false).clamp_min(1e-6);
  const auto z = (points - centre) / scale;
  std::vector<GbrbmParameters> starts{{torch::zeros_like(centre), torch::zeros_like(centre),
                                       torch::zeros({m}, z.options()),
                                       0.1 * torch::randn({z.size(1), m}, generator, z.options())}};
  for (std::int64_t k = 2; k <= std::min(m, kMostClusters); ++k)
    starts.push_back(cluster_start(z, m, k, generator));
  std::vector<Fit> fits;
  for (const auto& start : starts) {
    Fit fit{0, improve(start, z, kShortFit)};
    fit.objective = objective(fit.parameters, z).item<double>();
    if (std::isfinite(fit.objective)) fits.push_back(fit);
  }
  const auto likelier = [](const Fit& x, const Fit& y) { return x.objective < y.objective; };
  std::sort(fits.begin(), fits.end(), likelier);
  for (std::size_t i = 0, n = fits.size(); i < std::min(kLongFits, n); ++i) {
    Fit fit{0, improve(fits[i].parameters, z, kLongFit)};
    fit.objective = objective(fit.parameters, z).item<double>();
    if (std::isfinite(fit.objective)) fits.push_back(fit);
  }
  // With no finite fit at all: one Gaussian.
  if (fits.empty()) return {centre, torch::log(scale), starts[0].fields, 0.1 * starts[0].w};
  auto best = std::min_element(fits.begin(), fits.end(), likelier)->parameters;
  best.b = centre + scale * best.b;
  best.log_sigma = best.log_sigma + torch::log(scale);
  return best;
}

}  // namespace cryoscape::latent
