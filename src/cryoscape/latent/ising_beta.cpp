#include "cryoscape/latent/ising_beta.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/latent/ising_kernel.hpp"

namespace cryoscape::latent {
namespace {

constexpr std::size_t kMostValues = 4'000'000;

/// 2β s_i f_i (samples, n) at the problem's β.
std::vector<float> alignments(const IsingProblem& problem, std::span<const std::int8_t> samples) {
  const auto n = problem.fields.size(), count = samples.size() / n;
  const auto used = std::min(count, std::max<std::size_t>(1, kMostValues / n));
  const IsingGraph graph(problem);
  std::vector<float> out(used * n), x(n * kIsingLanes);
  for (std::size_t first = 0; first < used; first += kIsingLanes) {
    const auto lanes = std::min<std::size_t>(kIsingLanes, used - first);
    for (std::size_t l = 0; l < lanes; ++l)
      for (std::size_t i = 0; i < n; ++i)
        x[i * kIsingLanes + l] = samples[(first + l) * count / used * n + i];
    float fields[kIsingLanes];
    for (std::size_t i = 0; i < n; ++i) {
      ising_fields(graph, static_cast<int>(i), x.data(), kIsingLanes, fields);
      for (std::size_t l = 0; l < lanes; ++l)
        out[(first + l) * n + i] = static_cast<float>(2 * problem.beta) * x[i * kIsingLanes + l] * fields[l];
    }
  }
  return out;
}

/// Derivatives of the pseudo-likelihood in β, and the sum of squares of the samples' own first derivatives.
struct Derivatives {
  double first = 0, second = 0, squares = 0;
};

Derivatives derivatives(std::span<const float> alignment, std::size_t n, double beta) {
  Derivatives d;
  for (std::size_t k = 0; k < alignment.size(); k += n) {
    double own = 0;
    for (const double a : alignment.subspan(k, n)) {
      const double against = 1 / (1 + std::exp(beta * a));
      own += a * against;
      d.second -= a * a * against * (1 - against);
    }
    d.first += own;
    d.squares += own * own;
  }
  return d;
}

}  // namespace

BetaFit fit_beta(const IsingProblem& problem, std::span<const std::int8_t> samples) {
  return fit_beta(alignments(problem, samples), problem.fields.size());
}

BetaFit fit_beta(std::span<const float> alignment, std::size_t n) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto [least, most] = std::minmax_element(alignment.begin(), alignment.end());
  if (*least == 0 && *most == 0) return {1, kInfinity};
  // All spins along their fields, or all against them: the maximum is at infinity.
  if (*least >= 0 || *most <= 0) return {*least >= 0 ? kLargestBeta : -kLargestBeta, kInfinity};
  // The first derivative falls: Newton's steps, or halves of the bracket where these leave it.
  double low = -kLargestBeta, high = kLargestBeta, beta = 1;
  Derivatives d;
  for (int step = 0; step < 100; ++step) {
    d = derivatives(alignment, n, beta);
    (d.first > 0 ? low : high) = beta;
    double next = beta - d.first / d.second;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    const bool done = std::abs(next - beta) < 1e-9 * std::max(1.0, std::abs(beta));
    beta = next;
    if (done) break;
  }
  if (std::abs(beta) > 0.999 * kLargestBeta) return {std::copysign(kLargestBeta, beta), kInfinity};
  return {beta, std::sqrt(d.squares) / -d.second};
}

IsingSamples with_beta(const IsingProblem& problem, std::vector<std::int8_t> values,
                       std::optional<double> log_partition) {
  const auto fit = fit_beta(problem, values);
  return {problem.spins(), std::move(values), fit.value, fit.error, log_partition};
}

}  // namespace cryoscape::latent
