#pragma once
#include <torch/torch.h>

#include <vector>

#include "cryoscape/structure/restraints.hpp"
#include "cryoscape/training/objective.hpp"
#include "cryoscape/training/process_group.hpp"

namespace cryoscape::training {

/// Makes one step out of the parts of a batch that the processes of a run evaluated.
class StepReduction {
 public:
  /// For the gradients of `parameters`. Unless the process is alone, `restraints` then leave the moments of
  /// batches to backward().
  StepReduction(ProcessGroup& group, std::vector<torch::Tensor> parameters,
                structure::RestraintEvaluator& restraints);

  /// Back-propagates this process's share of the batch's loss. Afterwards, on every process, gradients,
  /// terms, spectral sums, restraint moments, posterior and sample (without their graph) are those of the
  /// whole batch; they took two sums over processes, one of float32, one of float64. All of it must have the
  /// same shape everywhere but for the rows. Alone: only back-propagates.
  void backward(Evaluation& evaluation, const latent::BatchPart& part);

 private:
  void sum_gradients(Evaluation& evaluation, const latent::BatchPart& part);
  void sum_statistics(Evaluation& evaluation, const latent::BatchPart& part);

  ProcessGroup& group_;
  std::vector<torch::Tensor> parameters_;
  structure::RestraintEvaluator& restraints_;
};

}  // namespace cryoscape::training
