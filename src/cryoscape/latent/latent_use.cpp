#include "cryoscape/latent/latent_use.hpp"

#include "cryoscape/latent/prior.hpp"

namespace cryoscape::latent {
namespace {

constexpr double kActiveBit = 0.05, kActiveShare = 0.01;

}  // namespace

LatentUse::LatentUse(std::int64_t bits, std::int64_t dim)
    : bits_(bits), dim_(dim), sums_(static_cast<std::size_t>(1 + 3 * dim)) {}

void LatentUse::add(const Posterior& posterior) {
  torch::NoGradGuard no_grad;
  const auto mean = expectation(posterior).to(torch::kFloat64);
  const auto variance = deviation(posterior).to(torch::kFloat64).pow(2);
  const auto sums = values_of(torch::cat({mean.sum(0), mean.pow(2).sum(0), variance.sum(0)}));
  sums_[0] += static_cast<double>(mean.size(0));
  for (std::size_t i = 0; i < sums.size(); ++i) sums_[i + 1] += sums[i];
}

int LatentUse::active() const {
  const double n = sums_[0];
  const auto d = static_cast<std::size_t>(dim_);
  int count = 0;
  for (std::size_t i = 0; i < d && n > 0; ++i) {
    const double mean = sums_[1 + i] / n, between = sums_[1 + d + i] / n - mean * mean,
                 within = sums_[1 + 2 * d + i] / n;
    const bool bit = static_cast<std::int64_t>(i) < bits_;
    count += bit ? between > kActiveBit : between > kActiveShare * (between + within);
  }
  return count;
}

}  // namespace cryoscape::latent
