#pragma once
#include <vector>

#include "cryoscape/torch.hpp"

namespace cryoscape::inference {

/// Copies of a module's parameters and buffers.
std::vector<torch::Tensor> state_of(const torch::nn::Module& module);
/// Puts such values into a module of the same form. Throws std::invalid_argument for another form.
void set_state(torch::nn::Module& module, const std::vector<torch::Tensor>& state);

}  // namespace cryoscape::inference
