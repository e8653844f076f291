#include "cryoscape/training/adamw.hpp"

#include <cmath>

#include "cryoscape/training/adamw_kernel.hpp"
#include "cryoscape/training/device_adamw.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::training {

AdamW::AdamW(std::vector<torch::Tensor> parameters, Options options)
    : options_(options), parameters_(std::move(parameters)) {
  for (auto& p : parameters_) {
    TORCH_CHECK(p.is_contiguous() && p.scalar_type() == torch::kFloat32, "AdamW: float32 only");
    first_.push_back(torch::zeros_like(p, torch::requires_grad(false)));
    second_.push_back(torch::zeros_like(p, torch::requires_grad(false)));
  }
}

void AdamW::step(double learning_rate, double gradient_scale) {
  ++steps_;
  const double correction1 = 1 - std::pow(options_.beta1, static_cast<double>(steps_));
  const double correction2 = 1 - std::pow(options_.beta2, static_cast<double>(steps_));
  AdamWStep step;
  step.beta1 = static_cast<float>(options_.beta1);
  step.beta2 = static_cast<float>(options_.beta2);
  step.rate = static_cast<float>(learning_rate / correction1);
  step.root = static_cast<float>(1 / std::sqrt(correction2));
  step.epsilon = static_cast<float>(options_.epsilon);
  step.keep = static_cast<float>(1 - learning_rate * options_.weight_decay);
  step.gradient_scale = static_cast<float>(gradient_scale);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    auto& gradient = parameters_[i].mutable_grad();
    if (!gradient.defined()) continue;
    if (!parameters_[i].is_cpu()) {
      device_adamw_update(step, parameters_[i], gradient, first_[i], second_[i]);
      gradient.reset();
      continue;
    }
    const auto g = gradient.contiguous();
    parallel_ranges(static_cast<std::size_t>(parameters_[i].numel()), [&](std::size_t begin,
                                                                          std::size_t end) {
      adamw_update(step, end - begin, parameters_[i].data_ptr<float>() + begin, g.data_ptr<float>() + begin,
                   first_[i].data_ptr<float>() + begin, second_[i].data_ptr<float>() + begin);
    });
    // Undefined rather than zero: the next backward pass then hands its own buffer over instead of adding
    // into this one.
    gradient.reset();
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
