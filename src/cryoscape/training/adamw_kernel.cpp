#include "cryoscape/training/adamw_kernel.hpp"

#include <cmath>

namespace cryoscape::training {

// Compiled with -fno-math-errno (CMakeLists.txt): otherwise the square root keeps the loop from vectors.
void adamw_update(const AdamWStep& step, std::size_t count, float* __restrict parameters,
                  const float* __restrict gradients, float* __restrict first, float* __restrict second) {
  const AdamWStep s = step;
  for (std::size_t k = 0; k < count; ++k) {
    const float g = gradients[k] * s.gradient_scale;
    const float m = s.beta1 * first[k] + (1 - s.beta1) * g;
    const float v = s.beta2 * second[k] + (1 - s.beta2) * g * g;
    first[k] = m;
    second[k] = v;
    parameters[k] = s.keep * parameters[k] - s.rate * m / (std::sqrt(v) * s.root + s.epsilon);
  }
}

}  // namespace cryoscape::training
