#include "cryoscape/inference/image_expansion.hpp"

#include <algorithm>

#include "cryoscape/model/likelihood_expansion.hpp"

namespace cryoscape::inference {
namespace {

constexpr std::int64_t kFloats = 8 << 20;  ///< 32 MiB of coordinates or displacements at a time

void expand_structures(model::HeterogeneityModel& model, const particles::Batch& batch,
                       const torch::Tensor& particles, const torch::Tensor& structures,
                       const torch::Tensor& jacobian, const model::ExpansionOutput& output) {
  const auto x = structures.contiguous(), index = particles.contiguous();
  const auto displacements = jacobian.defined() ? jacobian.contiguous() : jacobian;
  model::ExpansionPoints points;
  points.size = static_cast<int>(x.size(0));
  points.particle = index.data_ptr<std::int64_t>(), points.coordinates = x.data_ptr<float>();
  if (jacobian.defined()) {
    points.directions = static_cast<int>(displacements.size(1));
    points.displacements = displacements.data_ptr<float>();
  }
  model::expand_likelihood(model.projection(), model.scene().amplitudes, model.spectral(),
                           model.likelihood_options(), model::view(batch, {}), points, output);
}

}  // namespace

ImageExpansion expand_images(model::HeterogeneityModel& model, const particles::Batch& batch,
                             const torch::Tensor& particles, const torch::Tensor& points) {
  torch::NoGradGuard no_grad;
  const auto rows = points.size(0), d = points.size(1);
  const auto ratio = torch::empty({rows}), score = torch::empty({rows, d}),
             information = torch::empty({rows, d, d});
  const auto per_row = d * static_cast<std::int64_t>(model.scene().coordinates.size());
  const auto chunk = std::max<std::int64_t>(1, kFloats / per_row);
  for (std::int64_t begin = 0; begin < rows; begin += chunk) {
    const auto count = std::min(chunk, rows - begin);
    const auto [x, jacobian] = model.decode_with_jacobian(points.narrow(0, begin, count).to(torch::kFloat32));
    expand_structures(model, batch, particles.narrow(0, begin, count), x, jacobian,
                      {ratio.data_ptr<float>() + begin, score.data_ptr<float>() + begin * d,
                       information.data_ptr<float>() + begin * d * d, nullptr});
  }
  return {ratio.to(torch::kFloat64), score.to(torch::kFloat64), information.to(torch::kFloat64)};
}

torch::Tensor image_log_ratios(model::HeterogeneityModel& model, const particles::Batch& batch,
                               const torch::Tensor& particles, const torch::Tensor& structures) {
  const auto ratio = torch::empty({structures.size(0)});
  expand_structures(model, batch, particles, structures, {}, {ratio.data_ptr<float>()});
  return ratio.to(torch::kFloat64);
}

torch::Tensor image_log_ratios_at(model::HeterogeneityModel& model, const particles::Batch& batch,
                                  const torch::Tensor& particles, const torch::Tensor& points) {
  torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> ratios;
  const auto chunk =
      std::max<std::int64_t>(1, kFloats / static_cast<std::int64_t>(model.scene().coordinates.size()));
  for (std::int64_t begin = 0; begin < points.size(0); begin += chunk) {
    const auto count = std::min(chunk, points.size(0) - begin);
    const auto structures = model.decode(points.narrow(0, begin, count).to(torch::kFloat32));
    ratios.push_back(image_log_ratios(model, batch, particles.narrow(0, begin, count), structures));
  }
  return torch::cat(ratios);
}

}  // namespace cryoscape::inference
