#include "cryoscape/training/reference_step.hpp"

#include <cmath>
#include <stdexcept>

#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/projection/reference.hpp"
#include "cryoscape/structure/cell_list.hpp"

namespace cryoscape::training {
namespace {

constexpr double kMemory =
    0.9;  ///< weight of earlier batches in the edges' running moments, as in RestraintEvaluator

torch::Tensor squared_modulus(const torch::Tensor& z) { return torch::view_as_real(z).square().sum(-1); }

/// Re(a* b)
torch::Tensor real_product(const torch::Tensor& a, const torch::Tensor& b) {
  return (torch::view_as_real(a) * torch::view_as_real(b)).sum(-1);
}

torch::Tensor over_pixels(const torch::Tensor& x) { return x.sum(std::vector<std::int64_t>{1, 2}); }

}  // namespace

ReferenceRestraints::ReferenceRestraints(const structure::RestraintTopology& topology,
                                         std::span<const float> reference)
    : bonds_(gather(topology.bonds)), edges_(gather(topology.edges)), chain_start_(topology.chains + 1) {
  for (const auto& e : topology.edges) ++chain_start_[e.chain + 1];
  for (std::size_t c = 1; c < chain_start_.size(); ++c) chain_start_[c] += chain_start_[c - 1];
  std::vector<structure::Pair> near;
  structure::CellList cells;
  cells.for_each_pair(reference, kClashListCutoff, [&](std::int32_t i, std::int32_t j, float) {
    if (const float limit = topology.clash_limit(i, j); limit > 0) near.push_back({i, j, limit, 0});
  });
  clashes_ = gather(near);
  mean_ = torch::zeros({edges_.i.size(0)}, torch::kFloat64);
  square_ = torch::zeros_like(mean_);
}

ReferenceRestraints::Pairs ReferenceRestraints::gather(const std::vector<structure::Pair>& pairs) {
  std::vector<std::int64_t> i, j;
  std::vector<float> distance;
  for (const auto& p : pairs) i.push_back(p.i), j.push_back(p.j), distance.push_back(p.distance);
  return {torch::tensor(i, torch::kInt64), torch::tensor(j, torch::kInt64), torch::tensor(distance)};
}

torch::Tensor ReferenceRestraints::distances(const torch::Tensor& x, const Pairs& pairs) {
  return (x.index_select(1, pairs.i) - x.index_select(1, pairs.j)).square().sum(-1).clamp_min(1e-12).sqrt();
}

torch::Tensor ReferenceRestraints::edge_mask(double drop_fraction) const {
  auto mask = torch::ones({edges_.i.size(0)});
  if (weight_ <= 1) return mask;
  const auto variance = square_ / weight_ - (mean_ / weight_).square();
  for (std::size_t c = 0; c + 1 < chain_start_.size(); ++c) {
    const auto begin = chain_start_[c], end = chain_start_[c + 1];
    // In float, as RestraintEvaluator rounds.
    const auto drop =
        static_cast<std::int64_t>(static_cast<float>(drop_fraction) * static_cast<float>(end - begin));
    const auto order = variance.slice(0, begin, end).argsort(0, /*descending=*/true);
    mask.slice(0, begin, end).index_fill_(0, order.slice(0, 0, drop), 0);
  }
  return mask;
}

torch::Tensor ReferenceRestraints::energy(const torch::Tensor& x, const RestraintSchedule& schedule) {
  const auto& w = schedule.weights;
  const auto mask = edge_mask(schedule.drop_fraction);
  const auto bond = distances(x, bonds_) - bonds_.distance;
  const auto edge = distances(x, edges_) - edges_.distance;
  const auto overlap = torch::relu(clashes_.distance - distances(x, clashes_));
  const auto deviation = edge.detach();
  weight_ = kMemory * weight_ + static_cast<double>(x.size(0));
  mean_ = kMemory * mean_ + deviation.sum(0);
  square_ = kMemory * square_ + deviation.square().sum(0);
  return w.bond * bond.square().sum(1) + w.edge * (mask * edge.square()).sum(1) +
         w.clash * overlap.square().sum(1);
}

ReferenceLikelihood::ReferenceLikelihood(model::HeterogeneityModel& model)
    : model_(model), amplitudes_(torch::tensor(model.scene().amplitudes)) {
  if (model.likelihood_options().correlation)
    throw std::logic_error("ReferenceLikelihood: Gaussian likelihood only");
  const int box = model.scene().box, columns = box / 2 + 1;
  std::vector<std::int64_t> shell;
  for (const auto s : optics::shell_table(box)) shell.push_back(s <= model.spectral().max_shell() ? s : 0);
  shell_ = torch::tensor(shell, torch::kInt64);
  multiplicity_ = torch::full({box, columns}, 2.0f);
  multiplicity_.select(1, 0).fill_(1);
  multiplicity_.select(1, columns - 1).fill_(1);
}

torch::Tensor ReferenceLikelihood::per_particle(const torch::Tensor& by_shell,
                                                const torch::Tensor& groups) const {
  const auto box = model_.scene().box;
  return by_shell.index_select(1, shell_).view({-1, box, box / 2 + 1}).index_select(0, groups);
}

model::Scores ReferenceLikelihood::score(const torch::Tensor& coordinates,
                                         const particles::Batch& batch) const {
  const auto& spectral = model_.spectral();
  std::vector<torch::Tensor> gains, inverse_powers;
  std::vector<double> normalisers;
  for (int g = 0; g < spectral.groups(); ++g) {
    const auto gain = spectral.gain(g), power = spectral.power(g);
    gains.push_back(torch::tensor(std::vector<float>(gain.begin(), gain.end())));
    inverse_powers.push_back(1 / torch::tensor(std::vector<float>(power.begin(), power.end())));
    inverse_powers.back()[0] = 0;  // shell 0 takes no part
    normalisers.push_back(spectral.log_normaliser(g));
  }
  // Coefficients whose data are exactly 0 are padding and take no part.
  const auto counted = multiplicity_ * (squared_modulus(batch.spectra) > 0);
  const auto weight = per_particle(torch::stack(inverse_powers), batch.groups) * counted;
  const auto gain = per_particle(torch::stack(gains), batch.groups);
  const auto normaliser = torch::tensor(normalisers, torch::kFloat32).index_select(0, batch.groups);

  const auto image = projection::project_reference(model_.projection(), amplitudes_, coordinates,
                                                   batch.rotations, batch.shifts, /*window=*/false);
  const auto predicted = torch::fft::rfft2(image) * batch.ctf;  // Q
  const auto scaled = predicted * gain;
  const auto a = over_pixels(weight * squared_modulus(batch.spectra));
  const auto b = over_pixels(weight * real_product(batch.spectra, scaled));
  const auto c = over_pixels(weight * squared_modulus(scaled));

  model::Scores scores;
  auto mean = torch::ones_like(c), variance = torch::zeros_like(c);
  if (const double sd = model_.likelihood_options().contrast_sd; sd > 0) {
    const double precision = 1 / (sd * sd);
    variance = 1 / (c + precision);
    mean = (b + precision) * variance;
    scores.log_likelihood =
        normaliser - 0.5 * (a + precision - (b + precision) * mean) - 0.5 * torch::log1p(c / precision);
  } else {
    scores.log_likelihood = normaliser - 0.5 * (a - 2 * b + c);
  }
  torch::NoGradGuard no_grad;
  scores.contrast = mean.detach();
  scores.chi_square = (a - 2 * mean * b + mean * mean * c).detach() /
                      torch::where(shell_.view(counted[0].sizes()) > 0, counted, 0 * counted).sum({1, 2});
  scores.sums = sums(batch.spectra, counted, predicted.detach(), scores.contrast,
                     scores.contrast.square() + variance.detach(), batch.groups);
  return scores;
}

std::vector<model::SpectralSums> ReferenceLikelihood::sums(
    const torch::Tensor& spectra, const torch::Tensor& counted, const torch::Tensor& predicted,
    const torch::Tensor& mean, const torch::Tensor& mean_square, const torch::Tensor& groups) const {
  const auto& spectral = model_.spectral();
  const auto coefficients = multiplicity_.numel();
  // (B, D, D/2+1) → (groups, shells)
  const auto by_shell = [&](const torch::Tensor& values) {
    const auto by_group = torch::zeros({spectral.groups(), coefficients})
                              .index_add(0, groups, values.reshape({-1, coefficients}));
    return torch::zeros({spectral.groups(), spectral.shells()}).index_add(1, shell_, by_group).contiguous();
  };
  const auto data = by_shell(counted * squared_modulus(spectra));
  const auto cross = by_shell(mean.view({-1, 1, 1}) * counted * real_product(spectra, predicted));
  const auto prediction = by_shell(mean_square.view({-1, 1, 1}) * counted * squared_modulus(predicted));
  const auto count = by_shell(counted);
  std::vector<model::SpectralSums> out(static_cast<std::size_t>(spectral.groups()) * spectral.shells());
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = {data.data_ptr<float>()[i], cross.data_ptr<float>()[i], prediction.data_ptr<float>()[i],
              count.data_ptr<float>()[i]};
  return out;
}

ReferenceStep::ReferenceStep(model::HeterogeneityModel& model, const structure::RestraintTopology& topology,
                             double learning_rate)
    : model_(model),
      restraints_(topology, model.scene().coordinates),
      likelihood_(model),
      optimiser_(model.network_parameters(), torch::optim::AdamWOptions(learning_rate).weight_decay(0)) {}

Evaluation ReferenceStep::evaluate(const particles::Batch& batch, double beta,
                                   const RestraintSchedule& schedule, double log_partition,
                                   torch::Generator& generator) {
  Evaluation out;
  out.posterior = model_.encode(batch);
  out.sample = model_.prior().draw(out.posterior, generator);
  auto scores = likelihood_.score(model_.decode(out.sample.smooth), batch);
  const auto kl = model_.prior().cross_entropy(out.posterior, out.sample) - latent::entropy(out.posterior);
  const auto energy = restraints_.energy(model_.decode(out.sample.smooth.detach()), schedule);
  out.terms.loss = (-scores.log_likelihood + beta * kl + energy).mean();
  record_terms(std::move(scores), kl + log_partition, energy, out);
  return out;
}

double ReferenceStep::step(const particles::Batch& batch, double beta, const RestraintSchedule& schedule,
                           double memory, torch::Generator& generator) {
  const auto evaluation = evaluate(batch, beta, schedule, 0, generator);
  optimiser_.zero_grad();
  evaluation.terms.loss.backward();
  optimiser_.step();
  model_.spectral().update(evaluation.sums, static_cast<double>(batch.size()), memory);
  return evaluation.terms.loss.item<double>();
}

}  // namespace cryoscape::training
