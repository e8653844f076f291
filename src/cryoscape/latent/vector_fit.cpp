#include "cryoscape/latent/vector_fit.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/latent/latent_use.hpp"
#include "cryoscape/latent/point_posterior.hpp"
#include "cryoscape/latent/prior_trainer.hpp"
#include "cryoscape/latent/vector_vae.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"

namespace cryoscape::latent {
namespace {

constexpr int kRecordEvery = 100, kImportanceSamples = 64;
constexpr std::int64_t kFewestRows = 20;

void check(const torch::Tensor& data) {
  if (data.size(0) < kFewestRows)
    fail("{} rows are too few to train a prior on: give at least {}", data.size(0), kFewestRows);
  const auto finite = torch::isfinite(data).all(1);
  if (!finite.all().item<bool>())
    fail("row {} holds a value that is not finite: leave it out",
         finite.logical_not().nonzero()[0][0].item<std::int64_t>());
  const auto constant = data.std(0) <= 0;
  if (constant.any().item<bool>())
    fail("column {} does not vary: leave it out", constant.nonzero()[0][0].item<std::int64_t>());
}

bool is_binary(const torch::Tensor& data) {
  return torch::logical_or(data == 0, data == 1).all().item<bool>();
}

struct Halves {
  torch::Tensor training, held_out;
};

Halves split(const torch::Tensor& data, double share, torch::Generator& generator) {
  const auto order = torch::randperm(data.size(0), generator, torch::kInt64);
  const auto out = std::max<std::int64_t>(1, std::llround(share * static_cast<double>(data.size(0))));
  return {data.index({order.slice(0, out)}), data.index({order.slice(0, 0, out)})};
}

/// Fills the held-out mean with its error from (M) values.
void report(const torch::Tensor& values, VectorFit& fit) {
  if (!fit.partition.known()) return;
  fit.held_out = values.mean().item<double>() - fit.partition.value;
  fit.held_out_error = values.std().item<double>() / std::sqrt(static_cast<double>(values.size(0)));
}

/// What both ways of training share: batches, the schedule, records.
class Loop {
 public:
  using Record = std::function<void(const nlohmann::json&)>;
  Loop(const torch::Tensor& data, const VectorFitOptions& options, const Record& record,
       torch::Generator& generator)
      : data_(data), options_(options), record_(record), generator_(generator) {}

  /// step(batch, fraction done) returns what to record.
  template <class Step>
  void run(Step&& step) {
    for (int i = 0; i < options_.steps; ++i) {
      throw_if_interrupted();
      const auto rows = torch::randint(data_.size(0), {options_.batch}, generator_, torch::kInt64);
      auto json = step(data_.index({rows}), static_cast<double>(i) / options_.steps);
      json["step"] = i + 1;
      if (record_ && (i + 1) % kRecordEvery == 0) record_(json);
    }
  }

 private:
  const torch::Tensor& data_;
  const VectorFitOptions& options_;
  const Record& record_;
  torch::Generator& generator_;
};

void fit_directly(const Halves& data, Loop& loop, torch::Generator& generator, VectorFit& fit) {
  auto& prior = *fit.prior;
  const auto width = kPointWidth * data.training.std(0);
  prior.after_warm_up(data.training, width.expand(data.training.sizes()), generator);
  PriorTrainer trainer(prior);
  loop.run([&](const torch::Tensor& rows, double) -> nlohmann::json {
    trainer.step(point_posterior(prior.bits(), rows, width), {rows, rows}, generator);
    torch::NoGradGuard no_grad;
    return {{"energy", prior.energy(rows).mean().item<double>()}};
  });
  torch::NoGradGuard no_grad;
  fit.diagnostics = prior.diagnostics();
  fit.partition = partition_of(fit.diagnostics);
  report(-prior.energy(data.held_out), fit);
  fit.active_latents = static_cast<int>(prior.dim());
}

/// ln (1/K) Σ p̃(z_k) p(x|z_k)/q(z_k|x) with hard bits, (M), without log Z.
torch::Tensor importance_bound(VectorVae& vae, const torch::Tensor& x, torch::Generator& generator,
                               LatentUse& use) {
  const auto posterior = vae.encode(x);
  use.add(posterior);
  std::vector<torch::Tensor> drawn;
  for (int k = 0; k < kImportanceSamples; ++k) {
    const auto z = vae.prior().draw_hard(posterior, generator).hard;
    drawn.push_back(vae.log_likelihood(x, z) - vae.prior().energy(z) - log_density(posterior, z));
  }
  return torch::logsumexp(torch::stack(drawn), 0) - std::log(static_cast<double>(kImportanceSamples));
}

void fit_autoencoder(const Halves& data, const VectorFitOptions& options, Loop& loop,
                     torch::Generator& generator, VectorFit& fit) {
  const auto centre = data.training.mean(0), scale = data.training.std(0);
  const auto standard = [&](const torch::Tensor& x) { return (x - centre) / scale; };
  VectorVae vae(data.training.size(1), fit.prior, static_cast<std::uint64_t>(options.seed));
  PriorTrainer trainer(*fit.prior);
  torch::optim::Adam optimiser(vae.network_parameters(), torch::optim::AdamOptions(options.learning_rate));
  bool warmed_up = false;
  loop.run([&](const torch::Tensor& rows, double done) -> nlohmann::json {
    if (!warmed_up && done >= options.warm_up) {
      torch::NoGradGuard no_grad;
      const auto q = vae.encode(standard(data.training));
      fit.prior->after_warm_up(expectation(q), deviation(q), generator);
      warmed_up = true;
    }
    const auto x = standard(rows);
    const auto posterior = vae.encode(x);
    const auto sample = fit.prior->draw(posterior, generator);
    const auto likelihood = vae.log_likelihood(x, sample.smooth).mean();
    const auto kl = (fit.prior->cross_entropy(posterior, sample) - entropy(posterior)).mean();
    const double beta = options.beta * (options.warm_up > 0 ? std::min(1.0, done / options.warm_up) : 1.0);
    const auto loss = beta * kl - likelihood;
    if (!std::isfinite(loss.item<double>()))
      fail("training diverged: lower --learning-rate, now {}", options.learning_rate);
    optimiser.zero_grad();
    loss.backward();
    optimiser.step();
    trainer.step(posterior, sample, generator);
    return {{"log_likelihood", likelihood.item<double>()},
            {"kl_without_log_partition", kl.item<double>()},
            {"beta", beta}};
  });
  torch::NoGradGuard no_grad;
  fit.diagnostics = fit.prior->diagnostics();
  fit.partition = partition_of(fit.diagnostics);
  LatentUse use(fit.prior->bits(), fit.prior->dim());
  // In the data's own units.
  report(importance_bound(vae, standard(data.held_out), generator, use) - torch::log(scale).sum(), fit);
  fit.active_latents = use.active();
}

}  // namespace

void VectorFitOptions::declare(OptionSet& set) {
  prior.declare(set);
  const auto bounded = [](Option& option, double minimum, double maximum) {
    option.minimum = minimum, option.maximum = maximum;
  };
  bounded(set.add("latent-dim", &latent_dim, "latent dimension of continuous priors in an autoencoder"), 1,
          256);
  set.add("vae", &vae, "train the prior of a small autoencoder also where rows could be latents themselves");
  bounded(set.add("steps", &steps, "training steps"), 1, 1e8);
  bounded(set.add("batch", &batch, "rows per step"), 1, 1e6);
  bounded(set.add("learning-rate", &learning_rate, "learning rate of the autoencoder"), 1e-8, 1);
  bounded(set.add("beta", &beta, "weight of the autoencoder's KL term"), 0, 1e6);
  bounded(set.add("warm-up", &warm_up, "share of training over which the KL weight rises linearly"), 0, 1);
  bounded(set.add("held-out", &held_out, "share of rows kept from training for the likelihood"), 0.001, 0.5);
  bounded(set.add("seed", &seed, "seed of all random numbers"), 0, 2147483647);
}

VectorFit fit_vectors(const torch::Tensor& data, const VectorFitOptions& options,
                      const std::function<void(const nlohmann::json&)>& record) {
  check(data);
  const auto seed = static_cast<std::uint64_t>(options.seed);
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(seed + 1);
  auto prior_options = options.prior;
  const auto columns = static_cast<int>(data.size(1));
  prior_options.dim = options.vae ? options.latent_dim : columns;
  VectorFit fit;
  fit.prior = make_prior(prior_options, seed);
  if (!options.vae && fit.prior->bits() == fit.prior->dim() && is_binary(data)) {
    prior_options.bits = columns;
    fit.prior = make_prior(prior_options, seed);
  }
  const bool rows_are_latents = fit.prior->dim() == columns &&
                                (fit.prior->bits() == 0 || (fit.prior->bits() == columns && is_binary(data)));
  fit.vae = options.vae || !rows_are_latents;
  if (fit.vae && prior_options.dim != options.latent_dim) {
    prior_options.dim = options.latent_dim;
    fit.prior = make_prior(prior_options, seed);
  }
  const auto halves = split(data, options.held_out, generator);
  Loop loop(halves.training, options, record, generator);
  if (fit.vae)
    fit_autoencoder(halves, options, loop, generator, fit);
  else
    fit_directly(halves, loop, generator, fit);
  return fit;
}

}  // namespace cryoscape::latent
