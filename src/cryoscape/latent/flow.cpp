#include "cryoscape/latent/flow.hpp"

#include <algorithm>
#include <bit>

#include "cryoscape/latent/annealed_adam.hpp"
#include "cryoscape/latent/noise.hpp"
#include "cryoscape/latent/spline.hpp"

namespace cryoscape::latent {
namespace {

constexpr double kLearningRate = 3e-3;
constexpr std::int64_t kWidth = 64, kBins = 10;
constexpr double kBound = 5;  ///< of the splines, in standard deviations of the aggregate posterior
constexpr std::int64_t kLeastLayers = 4;

/// Binary digits of the latents' numbers.
std::int64_t digits(std::int64_t dim) {
  return std::max<std::int64_t>(1, std::bit_width(static_cast<std::uint64_t>(dim - 1)));
}

torch::Tensor columns(const torch::Tensor& u, const torch::Tensor& numbers) {
  return u.index_select(1, numbers.to(u.device()));
}

}  // namespace

FlowPrior::FlowPrior(const PriorOptions& options, std::uint64_t seed) : dim_(options.dim) {
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(seed);
  whitening_ = register_module("whitening", std::make_shared<Whitening>(dim_));
  const auto layers = std::max(kLeastLayers, digits(dim_) + 1);
  for (std::int64_t i = 0; i < layers; ++i) couplings_.push_back(make_coupling(i, generator));
  active_ = register_buffer("active", torch::zeros({1}));
  steps_ = register_buffer("steps", torch::zeros({1}));
}

FlowPrior::Coupling FlowPrior::make_coupling(std::int64_t layer, torch::Generator& generator) {
  const auto digit = layer % digits(dim_), moved_value = (layer / digits(dim_) + digit) % 2;
  std::vector<std::int64_t> moved, left;
  for (std::int64_t i = 0; i < dim_; ++i) ((i >> digit) % 2 == moved_value ? moved : left).push_back(i);
  const auto name = std::to_string(layer);
  Coupling out;
  out.moved = torch::tensor(moved, torch::kInt64);
  out.left = torch::tensor(left, torch::kInt64);
  out.order = torch::argsort(torch::cat({out.moved, out.left}));
  const auto parameters = static_cast<std::int64_t>(moved.size()) * spline_parameters(kBins);
  // The only latent of one dimension depends on nothing but a constant.
  const auto inputs = std::max<std::int64_t>(1, static_cast<std::int64_t>(left.size()));
  out.network = register_module(
      "network" + name, std::make_shared<Network>(std::vector{inputs, kWidth, parameters}, generator));
  return out;
}

torch::Tensor FlowPrior::spline_parameters_of(const Coupling& c, const torch::Tensor& left) const {
  const auto input = left.size(1) > 0 ? left : torch::ones({left.size(0), 1}, left.options());
  return c.network->forward(input).view({left.size(0), c.moved.size(0), spline_parameters(kBins)});
}

torch::Tensor FlowPrior::energy(const torch::Tensor& z) const {
  const double constant = standard_normal_log_partition(dim_).value;
  if (!active()) return 0.5 * z.pow(2).sum(1) + constant;
  auto u = whitening_->unit(z);
  torch::Tensor energy = constant + whitening_->log_volume();
  for (const auto& c : couplings_) {
    const auto left = columns(u, c.left);
    const auto moved = spline(columns(u, c.moved), spline_parameters_of(c, left), kBound);
    u = columns(torch::cat({moved.values, left}, 1), c.order);
    energy = energy - moved.log_derivative.sum(1);
  }
  return energy + 0.5 * u.pow(2).sum(1);
}

torch::Tensor FlowPrior::sample(std::int64_t n, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  auto u = normal({n, dim_}, generator, active_.options());
  if (!active()) return u;
  for (auto c = couplings_.rbegin(); c != couplings_.rend(); ++c) {
    const auto left = columns(u, c->left);
    const auto moved = spline_inverse(columns(u, c->moved), spline_parameters_of(*c, left), kBound);
    u = columns(torch::cat({moved, left}, 1), c->order);
  }
  return whitening_->latent(u);
}

torch::Tensor FlowPrior::contrast(const Posterior&, const Sample& sample, torch::Generator&) {
  return active() ? energy(sample.hard.detach()).mean() : torch::Tensor();
}

std::unique_ptr<torch::optim::Optimizer> FlowPrior::make_optimiser() {
  return std::make_unique<AnnealedAdam>(std::vector<RatedParameters>{{parameters(), kLearningRate}}, steps_);
}

void FlowPrior::start_from(const torch::Tensor& means, const torch::Tensor& deviations, torch::Generator&) {
  whitening_->fit(means, deviations);
  active_.fill_(1);
}

}  // namespace cryoscape::latent
