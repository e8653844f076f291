#include "cryoscape/latent/encoder_output.hpp"

namespace cryoscape::latent {

Posterior posterior_of(const torch::Tensor& outputs, std::int64_t bits, std::int64_t dim) {
  Posterior posterior{bits, outputs.narrow(1, 0, dim), {}};
  // Smooth bounds keep exp() finite whatever the encoder says early on.
  if (dim > bits) posterior.log_std = 3.0 * torch::tanh(outputs.narrow(1, dim, dim - bits) / 3.0) - 1.0;
  return posterior;
}

}  // namespace cryoscape::latent
