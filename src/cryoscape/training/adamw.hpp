#pragma once
#include <vector>

#include "cryoscape/torch.hpp"

namespace cryoscape::training {

/// AdamW (Loshchilov and Hutter, ICLR 2019) in one pass over memory per parameter: at small batches the
/// optimiser's traffic, not its arithmetic, is what costs. float32 parameters only, on the CPU or, where the
/// build has CUDA, a GPU. Same update as torch::optim::AdamW.
class AdamW {
 public:
  struct Options {
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
  };
  AdamW(std::vector<torch::Tensor> parameters, Options options);

  /// Applies the gradients, scaled by `gradient_scale`, with the given learning rate and clears them.
  void step(double learning_rate, double gradient_scale = 1);

  /// Euclidean norm of all gradients.
  double gradient_norm() const;

  void save(torch::serialize::OutputArchive& archive) const;
  void load(torch::serialize::InputArchive& archive);

 private:
  Options options_;
  std::int64_t steps_ = 0;
  std::vector<torch::Tensor> parameters_, first_, second_;
};

}  // namespace cryoscape::training
