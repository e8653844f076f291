#include "cryoscape/latent/chain_report.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/latent/mixing.hpp"

namespace cryoscape::latent {

void ChainTrace::report(const std::string& name, nlohmann::json& record) const {
  const std::size_t chains = sweeps_.front().size();
  std::vector<double> values;
  for (std::size_t k = 0; k < chains; ++k)
    for (const auto& sweep : sweeps_) values.push_back(sweep[k]);
  constexpr double kInfinite = 1e6;  // JSON has no infinity
  record[name + "_split_r_hat"] = std::min(kInfinite, split_r_hat({values, chains}));
  record[name + "_autocorrelation_time"] = autocorrelation_time({values, chains});
}

double pseudo_likelihood_beta(std::span<const double> log_odds) {
  constexpr double kLargest = 1000;
  // The slope Σ o σ(−βo) falls with β: bisection.
  const auto slope = [&](double beta) {
    double sum = 0;
    for (const double o : log_odds) sum += o / (1 + std::exp(beta * o));
    return sum;
  };
  double low = -kLargest, high = kLargest;
  while (high - low > 1e-6) {
    const double middle = 0.5 * (low + high);
    (slope(middle) > 0 ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace cryoscape::latent
