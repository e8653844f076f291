#include "cryoscape/training/objective.hpp"

#include "cryoscape/model/known_gradient.hpp"

namespace cryoscape::training {
namespace {

/// CryoSTAR's KL: clamped from below per dimension, averaged over dimensions, divided by the number of
/// pixels.
torch::Tensor clamped_kl(const torch::Tensor& kl, std::int64_t dim, double pixels) {
  constexpr double kFreeNats = 3;
  return torch::clamp_min(kl / static_cast<double>(dim), kFreeNats) / pixels;
}

}  // namespace

torch::Tensor restraint_energy(const torch::Tensor& coordinates, RestraintTerm restraints,
                               const RestraintSchedule& schedule) {
  if (restraints.on_device) return restraints.on_device->energy(coordinates, schedule);
  const auto x = coordinates.detach().contiguous();
  const auto energy = torch::empty({x.size(0)}), gradient = torch::empty_like(x);
  const auto span = [](const torch::Tensor& t) {
    return std::span(t.data_ptr<float>(), static_cast<std::size_t>(t.numel()));
  };
  restraints.on_cpu->evaluate(span(x), static_cast<int>(x.size(0)), schedule.weights, schedule.drop_fraction,
                              span(energy), span(gradient));
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

Evaluation evaluate_objective(model::HeterogeneityModel& model, const particles::Batch& batch, double beta,
                              RestraintTerm restraints, const RestraintSchedule& schedule,
                              double log_partition, torch::Generator& generator,
                              const latent::BatchPart& part) {
  Evaluation out;
  out.posterior = model.encode(batch);
  out.sample = model.prior().draw(out.posterior, generator, part);
  const auto [coordinates, restrained] = model.decode_split(out.sample.smooth);
  auto scores = model.score(coordinates, batch, true);
  const auto kl = model.prior().cross_entropy(out.posterior, out.sample) - latent::entropy(out.posterior);
  const auto energy = restraint_energy(restrained, restraints, schedule);
  auto& terms = out.terms;
  if (model.likelihood_options().correlation) {
    const double pixels = static_cast<double>(model.scene().box) * model.scene().box;
    terms.loss = (-scores.log_likelihood + beta * clamped_kl(kl + log_partition, model.latent_dim(), pixels) +
                  energy / pixels)
                     .mean();
  } else {
    terms.loss = (-scores.log_likelihood + beta * kl + energy).mean();
  }
  record_terms(std::move(scores), kl + log_partition, energy, out);
  return out;
}

}  // namespace cryoscape::training
