#include "cryoscape/training/step_reduction.hpp"

#include <algorithm>

namespace cryoscape::training {
namespace {

/// What a prior learns from a batch, row by row.
std::vector<torch::Tensor*> row_tensors(Evaluation& evaluation) {
  std::vector<torch::Tensor*> rows{&evaluation.posterior.mean, &evaluation.sample.hard,
                                   &evaluation.sample.smooth};
  for (auto* t : {&evaluation.posterior.log_std, &evaluation.posterior.believed, &evaluation.sample.logits,
                  &evaluation.sample.believed})
    if (t->defined()) rows.push_back(t);
  return rows;
}

std::vector<double*> means(Terms& terms) {
  return {&terms.log_likelihood, &terms.kl,         &terms.restraint,
          &terms.bound,          &terms.chi_square, &terms.contrast};
}

/// Lets go of what only back-propagation needs.
void leave_graph(Evaluation& evaluation) {
  for (auto* t : row_tensors(evaluation)) *t = t->detach();
  evaluation.terms.loss = evaluation.terms.loss.detach();
}

/// The evaluation of all rows from those of pieces.
Evaluation joined(std::vector<Evaluation>& pieces) {
  auto out = pieces.front();
  double rows = 0;
  for (auto* mean : means(out.terms)) *mean = 0;
  out.terms.loss = torch::zeros_like(out.terms.loss);
  for (auto& s : out.sums) s = {};
  std::vector<std::vector<torch::Tensor>> parts(row_tensors(out).size());
  for (auto& piece : pieces) {
    const auto count = static_cast<double>(piece.posterior.mean.size(0));
    rows += count;
    const auto from = means(piece.terms), to = means(out.terms);
    for (std::size_t i = 0; i < to.size(); ++i) *to[i] += count * *from[i];
    out.terms.loss += count * piece.terms.loss;
    for (std::size_t i = 0; i < out.sums.size(); ++i) out.sums[i] += piece.sums[i];
    const auto tensors = row_tensors(piece);
    for (std::size_t i = 0; i < parts.size(); ++i) parts[i].push_back(*tensors[i]);
  }
  for (auto* mean : means(out.terms)) *mean /= rows;
  out.terms.loss /= rows;
  const auto tensors = row_tensors(out);
  for (std::size_t i = 0; i < parts.size(); ++i) *tensors[i] = torch::cat(parts[i]);
  return out;
}

/// The next `count` values of a flat tensor.
torch::Tensor take(const torch::Tensor& flat, std::int64_t& at, std::int64_t count) {
  at += count;
  return flat.narrow(0, at - count, count);
}

}  // namespace

StepReduction::StepReduction(ProcessGroup& group, std::vector<torch::Tensor> parameters,
                             RestraintTerm restraints, int pieces)
    : group_(group), parameters_(std::move(parameters)), restraints_(restraints), pieces_(pieces) {
  if (!group_.alone() || pieces_ > 1) restraints_.defer_moments();
}

Evaluation StepReduction::step(const SharedBatch& batch, torch::Generator& generator,
                               const Evaluate& evaluate) {
  auto evaluation = in_pieces(batch, generator, evaluate);
  if (!group_.alone()) {
    sum_statistics(evaluation, batch.part);
    sum_gradients(evaluation, batch.part);
  } else if (pieces_ > 1) {
    restraints_.absorb(moments_);
  }
  return evaluation;
}

Evaluation StepReduction::in_pieces(const SharedBatch& batch, torch::Generator& generator,
                                    const Evaluate& evaluate) {
  const auto rows = batch.own.size();
  const auto pieces = std::clamp<std::int64_t>(pieces_, 1, std::max<std::int64_t>(1, rows));
  const double whole = static_cast<double>(batch.part.whole);
  const auto back_propagated = [&](const particles::Batch& piece, std::int64_t first) {
    auto e = evaluate(piece, {batch.part.first + first, batch.part.whole});
    e.terms.loss.backward(torch::full({}, static_cast<double>(piece.size()) / whole, e.terms.loss.options()));
    return e;
  };
  if (pieces == 1) {
    auto e = back_propagated(batch.own, 0);
    if (!group_.alone() || pieces_ > 1) moments_ = restraints_.batch_moments();
    return e;
  }
  const auto before = generator.get_state();
  std::vector<Evaluation> evaluations;
  moments_.clear();
  for (std::int64_t k = 0; k < pieces; ++k) {
    generator.set_state(before);
    const auto share =
        share_of(static_cast<std::size_t>(rows), static_cast<int>(k), static_cast<int>(pieces));
    const auto first = static_cast<std::int64_t>(share.begin);
    evaluations.push_back(
        back_propagated(particles::rows_of(batch.own, first, static_cast<std::int64_t>(share.count)), first));
    leave_graph(evaluations.back());
    const auto m = restraints_.batch_moments();
    moments_.resize(m.size());
    for (std::size_t i = 0; i < m.size(); ++i) moments_[i] += m[i];
  }
  return joined(evaluations);
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
  flat.insert(flat.end(), moments_.begin(), moments_.end());
  group_.sum(flat);
  auto value = flat.begin();
  for (auto* mean : averaged) *mean = *value++ / static_cast<double>(part.whole);
  terms.loss = torch::full({}, loss, terms.loss.options().requires_grad(false));
  for (auto& s : evaluation.sums) {
    s = {value[0], value[1], value[2], value[3]};
    value += 4;
  }
  restraints_.absorb(std::span<const double>(value, flat.end()));
}

}  // namespace cryoscape::training
