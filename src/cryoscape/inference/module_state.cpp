#include "cryoscape/inference/module_state.hpp"

#include <stdexcept>

namespace cryoscape::inference {

std::vector<torch::Tensor> state_of(const torch::nn::Module& module) {
  std::vector<torch::Tensor> state;
  for (const auto& p : module.parameters()) state.push_back(p.detach().clone());
  for (const auto& b : module.buffers()) state.push_back(b.detach().clone());
  return state;
}

void set_state(torch::nn::Module& module, const std::vector<torch::Tensor>& state) {
  torch::NoGradGuard no_grad;
  auto own = module.parameters();
  for (const auto& b : module.buffers()) own.push_back(b);
  if (own.size() != state.size()) throw std::invalid_argument("a module of another form");
  for (std::size_t i = 0; i < own.size(); ++i)
    if (own[i].sizes() != state[i].sizes()) throw std::invalid_argument("a module of another form");
  for (std::size_t i = 0; i < own.size(); ++i) own[i].copy_(state[i]);
}

}  // namespace cryoscape::inference
