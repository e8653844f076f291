#include "cryoscape/training/objective.hpp"

#include <cmath>

#include "cryoscape/latent/noise.hpp"
#include "cryoscape/model/known_gradient.hpp"
#include "cryoscape/training/restrained_prior.hpp"

namespace cryoscape::training {
namespace {

/// CryoSTAR's KL: clamped from below per dimension, averaged over dimensions, divided by the number of
/// pixels.
torch::Tensor clamped_kl(const torch::Tensor& kl, std::int64_t dim, double pixels) {
  constexpr double kFreeNats = 3;
  return torch::clamp_min(kl / static_cast<double>(dim), kFreeNats) / pixels;
}

/// Every row K times, one after another.
torch::Tensor repeated(const torch::Tensor& rows, std::int64_t k) {
  return rows.defined() ? rows.repeat_interleave(k, 0) : rows;
}

/// One of K neighbouring rows for every group of them: rows (B·K, d), choice (B).
torch::Tensor chosen(const torch::Tensor& rows, const torch::Tensor& choice, std::int64_t k) {
  if (!rows.defined()) return rows;
  return rows.detach().index({torch::arange(choice.size(0), choice.options()) * k + choice});
}

Evaluation importance_weighted(model::HeterogeneityModel& model, const particles::Batch& batch,
                               const ObjectiveSettings& settings, RestraintTerm restraints,
                               torch::Generator& generator, const latent::BatchPart& part) {
  const std::int64_t k = settings.importance_samples, rows = batch.size();
  Evaluation out;
  out.posterior = model.encode(batch);
  const latent::Posterior encoded{out.posterior.bits,
                                  repeated(out.posterior.mean, k),
                                  repeated(out.posterior.log_std, k),
                                  out.posterior.groups,
                                  {}};
  const auto sample =
      model.prior().draw(encoded, generator, {part.first * k, part.whole < 0 ? -1 : part.whole * k});
  const auto posterior = latent::given(encoded, sample);
  const auto [coordinates, restrained] = model.decode_split(sample.smooth);
  auto scores = model.score(coordinates, particles::repeated(batch, k), true);
  const auto log_likelihood = scores.log_likelihood.view({rows, k});
  const auto log_ratio = model.prior().log_weight(posterior, sample).view({rows, k});
  const auto log_weight = log_likelihood + settings.beta * log_ratio;
  const auto bound = torch::logsumexp(log_weight, 1) - std::log(static_cast<double>(k));
  const auto energy = restraint_energy(restrained, restraints, settings.schedule).view({rows, k}).mean(1);
  out.terms.loss = (-bound + energy).mean();

  torch::NoGradGuard no_grad;
  const auto weights = torch::softmax(log_weight, 1);
  const auto choice = latent::choose(weights, generator, part);
  out.sample = {chosen(sample.hard, choice, k), chosen(sample.smooth, choice, k),
                chosen(sample.logits, choice, k), chosen(sample.believed, choice, k)};
  out.posterior = latent::given(out.posterior, out.sample);
  const auto unannealed = torch::logsumexp(log_likelihood + log_ratio, 1) - std::log(static_cast<double>(k)) -
                          settings.log_partition;
  scores.log_likelihood = (weights * log_likelihood).sum(1);
  record_terms(std::move(scores), scores.log_likelihood - unannealed, energy, out);
  return out;
}

Evaluation restrained(model::HeterogeneityModel& model, const particles::Batch& batch,
                      const ObjectiveSettings& settings, RestraintTerm restraints,
                      torch::Generator& generator, const latent::BatchPart& part) {
  constexpr std::int64_t kDraws = 128;
  Evaluation out;
  out.posterior = model.encode(batch);
  out.sample = model.prior().draw(out.posterior, generator, part);
  out.posterior = latent::given(out.posterior, out.sample);
  const auto draws =
      restrained_draws(model, restraints, settings.schedule, kDraws, settings.prior_log_partition,
                       {out.posterior, out.sample.hard}, generator);
  out.draws = draws.z, out.draw_weights = draws.weights;
  const auto coordinates = model.decode(out.sample.smooth);
  auto scores = model.score(coordinates, batch, true);
  const auto energy = restraint_energy(coordinates, restraints, settings.schedule);
  const auto kl = model.prior().cross_entropy(out.posterior, out.sample) - latent::entropy(out.posterior);
  // The KL's weight grows from zero; what holds structures together must not. Nor does the normaliser move
  // the decoder: R + ln ⟨e^{−R}⟩ is the same for structures that are all equally bad.
  out.terms.loss = (-scores.log_likelihood + settings.beta * kl + energy).mean();
  const auto restraint = energy + draws.log_mean;
  record_terms(std::move(scores), kl + restraint + settings.prior_log_partition, restraint, out);
  return out;
}

}  // namespace

torch::Tensor restraint_energy(const torch::Tensor& coordinates, RestraintTerm restraints,
                               const RestraintSchedule& schedule, structure::Moments moments) {
  if (restraints.on_device) return restraints.on_device->energy(coordinates, schedule, moments);
  const auto x = coordinates.detach().contiguous();
  const auto energy = torch::empty({x.size(0)}), gradient = torch::empty_like(x);
  const auto span = [](const torch::Tensor& t) {
    return std::span(t.data_ptr<float>(), static_cast<std::size_t>(t.numel()));
  };
  restraints.on_cpu->evaluate(span(x), static_cast<int>(x.size(0)), schedule.weights, schedule.drop_fraction,
                              span(energy), span(gradient), moments);
  return model::KnownGradient::apply(coordinates, energy, gradient);
}

void record_terms(model::Scores scores, const torch::Tensor& kl, const torch::Tensor& restraint,
                  Evaluation& out) {
  auto& terms = out.terms;
  terms.log_likelihood = scores.log_likelihood.mean().item<double>();
  terms.kl = kl.mean().item<double>();
  terms.restraint = restraint.mean().item<double>();
  terms.bound = terms.log_likelihood - terms.kl;
  terms.chi_square = scores.chi_square.mean().item<double>();
  terms.contrast = scores.contrast.mean().item<double>();
  out.sums = std::move(scores.sums);
}

Evaluation evaluate_objective(model::HeterogeneityModel& model, const particles::Batch& batch,
                              const ObjectiveSettings& settings, RestraintTerm restraints,
                              torch::Generator& generator, const latent::BatchPart& part) {
  if (settings.importance_samples > 1)
    return importance_weighted(model, batch, settings, restraints, generator, part);
  if (settings.energy_in_prior) return restrained(model, batch, settings, restraints, generator, part);
  Evaluation out;
  out.posterior = model.encode(batch);
  out.sample = model.prior().draw(out.posterior, generator, part);
  out.posterior = latent::given(out.posterior, out.sample);
  const auto [coordinates, restrained] = model.decode_split(out.sample.smooth);
  auto scores = model.score(coordinates, batch, true);
  const auto kl = model.prior().cross_entropy(out.posterior, out.sample) - latent::entropy(out.posterior);
  const auto energy = restraint_energy(restrained, restraints, settings.schedule);
  auto& terms = out.terms;
  if (model.likelihood_options().correlation) {
    const double pixels = static_cast<double>(model.scene().box) * model.scene().box;
    const auto clamped = clamped_kl(kl + settings.log_partition, model.latent_dim(), pixels);
    terms.loss = (-scores.log_likelihood + settings.beta * clamped + energy / pixels).mean();
  } else {
    terms.loss = (-scores.log_likelihood + settings.beta * kl + energy).mean();
  }
  record_terms(std::move(scores), kl + settings.log_partition, energy, out);
  return out;
}

}  // namespace cryoscape::training
