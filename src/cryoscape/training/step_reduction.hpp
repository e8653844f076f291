#pragma once
#include <functional>
#include <vector>

#include "cryoscape/torch.hpp"
#include "cryoscape/training/objective.hpp"
#include "cryoscape/training/process_group.hpp"
#include "cryoscape/training/shared_loader.hpp"

namespace cryoscape::training {

/// Makes one step out of the parts of a batch: those that the processes of a run evaluate, and the pieces in
/// which each evaluates its own.
class StepReduction {
 public:
  /// For the gradients of `parameters`. A process's rows are evaluated in `pieces`, one after another, which
  /// need less memory. Where a batch has parts, `restraints` leave the moments of batches to step().
  StepReduction(ProcessGroup& group, std::vector<torch::Tensor> parameters, RestraintTerm restraints,
                int pieces);

  using Evaluate = std::function<Evaluation(const particles::Batch& rows, const latent::BatchPart& part)>;
  /// Evaluates this process's share of a batch's loss and back-propagates it. Afterwards, on every process,
  /// gradients, terms, spectral sums, restraint moments, posterior and sample (without their graph) are those
  /// of the whole batch; processes exchange two sums, one of float32, one of float64. All of it must have the
  /// same shape everywhere but for the rows. Every piece draws from the generator what it would have drawn
  /// for the whole.
  Evaluation step(const SharedBatch& batch, torch::Generator& generator, const Evaluate& evaluate);

 private:
  Evaluation in_pieces(const SharedBatch& batch, torch::Generator& generator, const Evaluate& evaluate);
  void sum_gradients(Evaluation& evaluation, const latent::BatchPart& part);
  void sum_statistics(Evaluation& evaluation, const latent::BatchPart& part);

  ProcessGroup& group_;
  std::vector<torch::Tensor> parameters_;
  RestraintTerm restraints_;
  int pieces_;
  std::vector<double> moments_;  ///< of this process's share of the batch
};

}  // namespace cryoscape::training
