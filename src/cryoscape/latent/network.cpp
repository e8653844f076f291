#include "cryoscape/latent/network.hpp"

#include <cmath>
#include <string>

namespace cryoscape::latent {

Network::Network(const std::vector<std::int64_t>& widths, torch::Generator& generator) {
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    // He's initialisation (2015), which keeps the size of activations from layer to layer.
    const double scale = i + 2 < widths.size() ? std::sqrt(2.0 / static_cast<double>(widths[i])) : 0;
    weights_.push_back(register_parameter("weight" + std::to_string(i),
                                          scale * torch::randn({widths[i], widths[i + 1]}, generator)));
    biases_.push_back(register_parameter("bias" + std::to_string(i), torch::zeros({widths[i + 1]})));
  }
}

torch::Tensor Network::forward(torch::Tensor x) const {
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    if (i > 0) x = torch::silu(x);
    x = torch::addmm(biases_[i], x, weights_[i]);
  }
  return x;
}

}  // namespace cryoscape::latent
