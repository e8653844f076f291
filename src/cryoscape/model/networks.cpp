#include "cryoscape/model/networks.hpp"

#include <array>
#include <stdexcept>

#include "cryoscape/model/matrix_product.hpp"

namespace cryoscape::model {
namespace {

/// A perceptron whose output comes twice. Where both have a gradient, the one that stops before the input
/// rides along as further rows of the same matrix products: half the work of two passes.
struct SplitFunction : torch::autograd::Function<SplitFunction> {
  static constexpr std::size_t kInputs = 2;  ///< before the layers: precision and input

  /// tensors: weight and bias of every layer; one by one, for that is how libtorch tracks them.
  template <class... Tensors>
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context,
                                                Precision precision, const torch::Tensor& input,
                                                const Tensors&... tensors) {
    context->saved_data["bfloat16"] = precision == Precision::bfloat16;
    const std::array<torch::Tensor, sizeof...(tensors)> parameters{tensors...};
    std::vector<torch::Tensor> saved{input};  // then what every layer but the last gives, then the weights
    auto x = input;
    for (std::size_t k = 0; k < parameters.size(); k += 2) {
      x = layer_output(k == 0 ? x : torch::silu(x), parameters[k], parameters[k + 1], precision);
      if (k + 2 < parameters.size()) saved.push_back(x);
    }
    for (std::size_t k = 0; k < parameters.size(); k += 2) saved.push_back(parameters[k]);
    context->save_for_backward(saved);
    return {x, x.detach()};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list outer) {
    const auto saved = context->get_saved_variables();
    const auto precision =
        context->saved_data["bfloat16"].toBool() ? Precision::bfloat16 : Precision::float32;
    const std::size_t layers = saved.size() / 2;
    const bool both = outer[0].defined() && outer[1].defined();
    auto to_input = outer[0].defined() ? outer[0] : torch::zeros_like(outer[1]);
    auto to_parameters = both ? to_input + outer[1] : outer[0].defined() ? outer[0] : outer[1];
    torch::autograd::variable_list gradients(kInputs + 2 * layers);
    for (std::size_t l = layers; l-- > 0;) {
      gradients[kInputs + 2 * l] =
          layer_weight_gradient(to_parameters, l == 0 ? saved[0] : torch::silu(saved[l]), precision);
      gradients[kInputs + 1 + 2 * l] = to_parameters.sum(0);
      if (l == 0) break;
      const auto rows = outer[1].defined() ? torch::cat({to_parameters, to_input}) : to_parameters;
      const auto back = layer_input_gradient(rows, saved[layers + l], precision)
                            .split(to_parameters.size(0) > 0 ? to_parameters.size(0) : 1);
      to_parameters = at::silu_backward(back.front(), saved[l]);
      to_input = outer[1].defined() ? at::silu_backward(back.back(), saved[l]) : to_parameters;
    }
    if (context->needs_input_grad(0)) gradients[1] = layer_input_gradient(to_input, saved[layers], precision);
    return gradients;
  }
};

template <std::size_t... I>
torch::autograd::variable_list split(Precision precision, const torch::Tensor& x,
                                     const std::vector<torch::Tensor>& parameters,
                                     std::index_sequence<I...>) {
  return SplitFunction::apply(precision, x, parameters[I]...);
}

/// SplitFunction for as many layers as there are.
template <std::size_t Layers = 1>
torch::autograd::variable_list split(Precision precision, const torch::Tensor& x,
                                     const std::vector<torch::Tensor>& parameters) {
  constexpr std::size_t kMostLayers = 8;
  if (parameters.size() == 2 * Layers)
    return split(precision, x, parameters, std::make_index_sequence<2 * Layers>());
  if constexpr (Layers < kMostLayers) return split<Layers + 1>(precision, x, parameters);
  throw std::logic_error("Mlp::forward_split: too many layers");
}

}  // namespace

MlpImpl::MlpImpl(const std::vector<std::int64_t>& sizes, Precision precision) : precision_(precision) {
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i)
    layers_.push_back(
        register_module("layer" + std::to_string(i), torch::nn::Linear(sizes[i], sizes[i + 1])));
}

torch::Tensor MlpImpl::forward(const torch::Tensor& x) { return forward_split(x).first; }

std::pair<torch::Tensor, torch::Tensor> MlpImpl::forward_split(const torch::Tensor& x) {
  std::vector<torch::Tensor> parameters;
  for (const auto& layer : layers_) parameters.insert(parameters.end(), {layer->weight, layer->bias});
  const auto out = split(precision_, x, parameters);
  return {out[0], out[1]};
}

std::pair<torch::Tensor, torch::Tensor> MlpImpl::forward_tangent(const torch::Tensor& x,
                                                                 const torch::Tensor& tangents) const {
  torch::NoGradGuard no_grad;
  auto out = x, along = tangents;
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    if (k > 0) {
      along = at::silu_backward(along, out.unsqueeze(1).expand_as(along));
      out = torch::silu(out);
    }
    const auto& layer = *layers_[k];
    out = layer_output(out, layer.weight, layer.bias, precision_);
    along = layer_output(along.flatten(0, 1), layer.weight, torch::zeros_like(layer.bias), precision_)
                .view({tangents.size(0), tangents.size(1), -1});
  }
  return {out, along};
}

Mlp make_mlp_encoder(std::int64_t features, std::int64_t outputs, Precision precision) {
  return Mlp(std::vector<std::int64_t>{features, 512, 256, 128, 64, 32, outputs}, precision);
}

Mlp make_residue_decoder(std::int64_t latent_dim, std::int64_t beads) {
  Mlp decoder(std::vector<std::int64_t>{latent_dim, 32, 64, 128, 256, 512, 3 * beads});
  torch::NoGradGuard no_grad;
  decoder->last()->weight.zero_();
  decoder->last()->bias.zero_();
  return decoder;
}

}  // namespace cryoscape::model
