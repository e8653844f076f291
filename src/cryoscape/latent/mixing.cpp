#include "cryoscape/latent/mixing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace cryoscape::latent {
namespace {

struct Moments {
  double mean = 0, variance = 0;  ///< variance with n − 1
};

Moments moments(std::span<const double> x) {
  Moments m;
  for (const double v : x) m.mean += v;
  m.mean /= static_cast<double>(x.size());
  for (const double v : x) m.variance += (v - m.mean) * (v - m.mean);
  m.variance /= static_cast<double>(x.size()) - 1;
  return m;
}

}  // namespace

double split_r_hat(const ChainValues& chains) {
  const auto half = chains.length() / 2;
  const double n = static_cast<double>(half);
  std::vector<double> means;
  double within = 0;
  for (std::size_t k = 0; k < chains.chains; ++k)
    for (const auto part : {chains.chain(k).first(half), chains.chain(k).last(half)}) {
      const auto m = moments(part);
      means.push_back(m.mean);
      within += m.variance / static_cast<double>(2 * chains.chains);
    }
  const double between = n * moments(means).variance;
  if (within <= 0) return between > 0 ? std::numeric_limits<double>::infinity() : 1.0;
  return std::sqrt((n - 1) / n + between / (n * within));
}

double autocorrelation_time(const ChainValues& chains) {
  const auto length = chains.length();
  Moments all = moments(chains.values);
  if (all.variance <= 0) return 1;
  // Covariances about the common mean, so that chains stuck in different places count as correlated.
  const auto covariance = [&](std::size_t lag) {
    double sum = 0;
    for (std::size_t k = 0; k < chains.chains; ++k) {
      const auto x = chains.chain(k);
      for (std::size_t t = 0; t + lag < length; ++t) sum += (x[t] - all.mean) * (x[t + lag] - all.mean);
    }
    return sum / static_cast<double>(chains.chains * (length - lag));
  };
  const double variance = covariance(0);
  double time = -1;
  for (std::size_t lag = 0; lag + 1 < length; lag += 2) {
    const double pair = (covariance(lag) + covariance(lag + 1)) / variance;
    if (pair <= 0) break;
    time += 2 * pair;
  }
  return std::max(1.0, time);
}

ChainMixing mixing_of(const ChainValues& chains) {
  constexpr double kInfinite = 1e6;  // JSON has no infinity
  return {std::min(kInfinite, split_r_hat(chains)), autocorrelation_time(chains)};
}

}  // namespace cryoscape::latent
