#pragma once
#include <cstddef>

namespace cryoscape::training {

/// Numbers of one AdamW step that are the same for every parameter.
struct AdamWStep {
  float beta1, beta2;
  float rate;  ///< learning rate over the first moment's bias correction
  float root;  ///< 1/sqrt of the second moment's bias correction
  float epsilon;
  float keep;  ///< 1 − learning rate · weight decay
  float gradient_scale;
};

/// Moves `count` parameters and their moments by their gradients, in one pass over the four arrays, which do
/// not overlap.
void adamw_update(const AdamWStep& step, std::size_t count, float* __restrict parameters,
                  const float* __restrict gradients, float* __restrict first, float* __restrict second);

}  // namespace cryoscape::training
