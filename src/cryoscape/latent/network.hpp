#pragma once
#include <vector>

#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// A multilayer perceptron with SiLU between its layers: (B, widths[0]) → (B, widths.back()). Its last layer
/// starts at zero, so it starts as the function 0.
class Network : public torch::nn::Module {
 public:
  /// At least two widths.
  Network(const std::vector<std::int64_t>& widths, torch::Generator& generator);
  torch::Tensor forward(torch::Tensor x) const;

 private:
  std::vector<torch::Tensor> weights_, biases_;
};

}  // namespace cryoscape::latent
