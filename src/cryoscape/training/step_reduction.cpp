#include "cryoscape/training/step_reduction.hpp"

#include <algorithm>

namespace cryoscape::training {
namespace {

/// What a prior learns from a batch, row by row.
std::vector<torch::Tensor*> row_tensors(Evaluation& evaluation) {
  std::vector<torch::Tensor*> rows{&evaluation.posterior.mean, &evaluation.sample.hard,
                                   &evaluation.sample.smooth};
  if (evaluation.posterior.log_std.defined()) rows.push_back(&evaluation.posterior.log_std);
  return rows;
}

std::vector<double*> means(Terms& terms) {
  return {&terms.log_likelihood, &terms.kl,         &terms.restraint,
          &terms.bound,          &terms.chi_square, &terms.contrast};
}

/// The next `count` values of a flat tensor.
torch::Tensor take(const torch::Tensor& flat, std::int64_t& at, std::int64_t count) {
  at += count;
  return flat.narrow(0, at - count, count);
}

}  // namespace

StepReduction::StepReduction(ProcessGroup& group, std::vector<torch::Tensor> parameters,
                             structure::RestraintEvaluator& restraints)
    : group_(group), parameters_(std::move(parameters)), restraints_(restraints) {
  if (!group_.alone()) restraints_.defer_moments();
}

void StepReduction::backward(Evaluation& evaluation, const latent::BatchPart& part) {
  if (group_.alone()) {
    evaluation.terms.loss.backward();
    return;
  }
  const double share =
      static_cast<double>(evaluation.posterior.mean.size(0)) / static_cast<double>(part.whole);
  evaluation.terms.loss.backward(torch::full({}, share, evaluation.terms.loss.options()));
  sum_statistics(evaluation, part);
  sum_gradients(evaluation, part);
}

void StepReduction::sum_gradients(Evaluation& evaluation, const latent::BatchPart& part) {
  torch::NoGradGuard no_grad;
  const auto rows = row_tensors(evaluation);
  std::int64_t values = 0;
  for (const auto& p : parameters_) values += p.numel();
  for (const auto* t : rows) values += part.whole * t->size(1);
  // A new one every step: the gradients stay views of it until the optimiser has used them.
  const auto flat = torch::empty({values}, parameters_.front().options().requires_grad(false));
  std::int64_t at = 0;
  for (auto& p : parameters_) {
    const auto place = take(flat, at, p.numel()).view(p.sizes());
    if (p.grad().defined())
      place.copy_(p.grad());
    else
      place.zero_();
    p.mutable_grad() = place;
  }
  for (auto* t : rows) {
    const auto place = take(flat, at, part.whole * t->size(1)).view({part.whole, t->size(1)}).zero_();
    place.narrow(0, part.first, t->size(0)).copy_(*t);
    *t = place;
  }
  group_.sum(flat);
}

void StepReduction::sum_statistics(Evaluation& evaluation, const latent::BatchPart& part) {
  auto& terms = evaluation.terms;
  const auto own = evaluation.posterior.mean.size(0);
  double loss = terms.loss.item<double>();
  auto averaged = means(terms);
  averaged.push_back(&loss);
  std::vector<double> flat;
  // The means of no rows are not numbers.
  for (const auto* mean : averaged) flat.push_back(own > 0 ? *mean * static_cast<double>(own) : 0);
  for (const auto& s : evaluation.sums)
    flat.insert(flat.end(), {s.data_power, s.cross, s.prediction_power, s.count});
  const auto moments = restraints_.batch_moments();
  flat.insert(flat.end(), moments.begin(), moments.end());
  group_.sum(flat);
  auto value = flat.begin();
  for (auto* mean : averaged) *mean = *value++ / static_cast<double>(part.whole);
  terms.loss = torch::full({}, loss, terms.loss.options().requires_grad(false));
  for (auto& s : evaluation.sums) {
    s = {value[0], value[1], value[2], value[3]};
    value += 4;
  }
  restraints_.absorb({value, flat.end()});
}

}  // namespace cryoscape::training
