#pragma once
#include "cryoscape/torch.hpp"

namespace cryoscape::model {

/// Values (B) that a kernel computed from coordinates (B, N, 3) together with their gradient (B, N, 3), as
/// one differentiable operation: what kernels of scores and energies give to libtorch.
struct KnownGradient : torch::autograd::Function<KnownGradient> {
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor&,
                               const torch::Tensor& value, const torch::Tensor& gradient) {
    context->save_for_backward({gradient});
    return value.clone();
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list outer) {
    const auto gradient = context->get_saved_variables()[0];
    return {gradient * outer[0].view({-1, 1, 1}), {}, {}};
  }
};

}  // namespace cryoscape::model
