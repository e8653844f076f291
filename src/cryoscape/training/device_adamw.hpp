#pragma once
#include "cryoscape/torch.hpp"
#include "cryoscape/training/adamw_kernel.hpp"

namespace cryoscape::training {

/// adamw_update of one parameter and its moments on a GPU, in one kernel. Throws std::logic_error for a
/// device that this build has no kernel for.
void device_adamw_update(const AdamWStep& step, torch::Tensor& parameter, const torch::Tensor& gradient,
                         torch::Tensor& first, torch::Tensor& second);

}  // namespace cryoscape::training
