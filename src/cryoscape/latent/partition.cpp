#include "cryoscape/latent/partition.hpp"

#include <algorithm>
#include <cmath>

namespace cryoscape::latent {
namespace {

double effective_samples(const torch::Tensor& log_weights) {
  return torch::softmax(log_weights, 0).pow(2).sum().reciprocal().item<double>();
}

/// Relative standard error of the mean of weights, the error of its logarithm.
double relative_error(const torch::Tensor& log_weights) {
  return std::sqrt(
      std::max(0.0, 1 / effective_samples(log_weights) - 1 / static_cast<double>(log_weights.size(0))));
}

}  // namespace

torch::Tensor binary_states(std::int64_t m, const torch::TensorOptions& options, std::int64_t first,
                            std::int64_t count) {
  TORCH_CHECK(m <= 24, "binary_states: too many bits to enumerate");
  const auto end = count < 0 ? std::int64_t{1} << m : first + count;
  const auto index = torch::arange(first, end, torch::kInt64).unsqueeze(1);
  const auto shift = torch::arange(m, torch::kInt64).unsqueeze(0);
  return torch::bitwise_and(torch::bitwise_right_shift(index, shift), torch::ones({1}, torch::kInt64))
      .to(options.device())
      .to(options.dtype());
}

double log_sum_over_states(std::int64_t m, const torch::TensorOptions& options,
                           const std::function<torch::Tensor(const torch::Tensor&)>& log_weights) {
  constexpr std::int64_t kBlock = 1 << 15;  // bounds the memory
  const auto states = std::int64_t{1} << m;
  std::vector<torch::Tensor> sums;
  for (std::int64_t first = 0; first < states; first += kBlock) {
    const auto block = binary_states(m, options, first, std::min(kBlock, states - first));
    sums.push_back(torch::logsumexp(log_weights(block).to(torch::kFloat64), 0));
  }
  return torch::logsumexp(torch::stack(sums), 0).item<double>();
}

LogPartition annealed_log_partition(const AnnealedModel& model, const torch::Tensor& equilibrated,
                                    int temperatures) {
  torch::NoGradGuard no_grad;
  const auto n = equilibrated.size(0);
  const auto beta = [&](int k) { return static_cast<double>(k) / temperatures; };
  auto z = model.sample_at_zero(n);
  auto forward = torch::zeros({n}, z.options().dtype(torch::kFloat64));
  for (int k = 1; k <= temperatures; ++k) {
    forward += (model.log_weight(z, beta(k)) - model.log_weight(z, beta(k - 1))).to(torch::kFloat64);
    if (k < temperatures) z = model.transition(z, beta(k));
  }
  z = equilibrated;
  auto reverse = torch::zeros({n}, z.options().dtype(torch::kFloat64));
  for (int k = temperatures; k >= 1; --k) {
    reverse += (model.log_weight(z, beta(k - 1)) - model.log_weight(z, beta(k))).to(torch::kFloat64);
    if (k > 1) z = model.transition(z, beta(k - 1));
  }
  const double log_n = std::log(static_cast<double>(n));
  const auto below = model.log_partition_at_zero + torch::logsumexp(forward, 0).item<double>() - log_n;
  const auto above = model.log_partition_at_zero - (torch::logsumexp(reverse, 0).item<double>() - log_n);
  LogPartition out;
  out.exact = false;
  out.effective_samples = effective_samples(forward);
  out.lower = std::min(below, above) - 2 * relative_error(forward);
  out.upper = std::max(below, above) + 2 * relative_error(reverse);
  out.value = 0.5 * (below + above);
  return out;
}

}  // namespace cryoscape::latent
