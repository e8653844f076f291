#include "cryoscape/training/adamw.hpp"

#include <cmath>

#include "cryoscape/util/parallel.hpp"

namespace cryoscape::training {

AdamW::AdamW(std::vector<torch::Tensor> parameters, Options options)
    : options_(options), parameters_(std::move(parameters)) {
  for (auto& p : parameters_) {
    TORCH_CHECK(p.is_contiguous() && p.scalar_type() == torch::kFloat32 && p.device().is_cpu(), "AdamW: float32 CPU only");
    first_.push_back(torch::zeros_like(p, torch::requires_grad(false)));
    second_.push_back(torch::zeros_like(p, torch::requires_grad(false)));
  }
}

void AdamW::step(double learning_rate, double gradient_scale) {
  ++steps_;
  const double correction1 = 1 - std::pow(options_.beta1, static_cast<double>(steps_));
  const double correction2 = 1 - std::pow(options_.beta2, static_cast<double>(steps_));
  const auto b1 = static_cast<float>(options_.beta1), b2 = static_cast<float>(options_.beta2);
  const auto rate = static_cast<float>(learning_rate / correction1);
  const auto root = static_cast<float>(1 / std::sqrt(correction2)), epsilon = static_cast<float>(options_.epsilon);
  const auto keep = static_cast<float>(1 - learning_rate * options_.weight_decay);
  const auto scale = static_cast<float>(gradient_scale);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    auto gradient = parameters_[i].grad();
    if (!gradient.defined()) continue;
    gradient = gradient.contiguous();
    float* p = parameters_[i].data_ptr<float>();
    float* g = gradient.data_ptr<float>();
    float* m = first_[i].data_ptr<float>();
    float* v = second_[i].data_ptr<float>();
    parallel_ranges(static_cast<std::size_t>(parameters_[i].numel()), [&](std::size_t begin, std::size_t end) {
      for (std::size_t k = begin; k < end; ++k) {
        const float x = g[k] * scale;
        m[k] = b1 * m[k] + (1 - b1) * x;
        v[k] = b2 * v[k] + (1 - b2) * x * x;
        p[k] = keep * p[k] - rate * m[k] / (std::sqrt(v[k]) * root + epsilon);
        g[k] = 0;
      }
    });
    parameters_[i].mutable_grad() = gradient;
  }
}

double AdamW::gradient_norm() const {
  double sum = 0;
  for (const auto& p : parameters_)
    if (p.grad().defined()) {
      const double norm = p.grad().norm().item<double>();
      sum += norm * norm;
    }
  return std::sqrt(sum);
}

void AdamW::save(torch::serialize::OutputArchive& archive) const {
  archive.write("steps", torch::tensor(steps_));
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    archive.write("first" + std::to_string(i), first_[i]);
    archive.write("second" + std::to_string(i), second_[i]);
  }
}

void AdamW::load(torch::serialize::InputArchive& archive) {
  torch::Tensor steps;
  archive.read("steps", steps);
  steps_ = steps.item<std::int64_t>();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    archive.read("first" + std::to_string(i), first_[i]);
    archive.read("second" + std::to_string(i), second_[i]);
  }
}

}  // namespace cryoscape::training
