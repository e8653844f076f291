#pragma once
#include "cryoscape/training/adamw_kernel.hpp"
#include "cryoscape/util/cuda/host_device.hpp"

namespace cryoscape::training::cuda {

/// adamw_update of one parameter.
CRYOSCAPE_HOST_DEVICE inline void adamw_element(const AdamWStep& step, float& parameter, float gradient,
                                                float& first, float& second) {
  const float g = gradient * step.gradient_scale;
  first = step.beta1 * first + (1 - step.beta1) * g;
  second = step.beta2 * second + (1 - step.beta2) * g * g;
  parameter = step.keep * parameter - step.rate * first / (sqrtf(second) * step.root + step.epsilon);
}

}  // namespace cryoscape::training::cuda
