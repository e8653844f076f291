#include "cryoscape/latent/ising_tempering.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cryoscape/latent/ising_beta.hpp"
#include "cryoscape/latent/ising_chains.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::latent {
namespace {

constexpr std::uint64_t kSwapStreams = std::uint64_t{1} << 61;

/// Inverse temperatures in equal ratios, the problem's own first.
std::vector<double> ladder_betas(const TemperingSettings& settings, double beta) {
  std::vector<double> betas(static_cast<std::size_t>(settings.temperatures), beta);
  for (std::size_t k = 1; k < betas.size(); ++k)
    betas[k] =
        beta * std::pow(settings.hottest, static_cast<double>(k) / static_cast<double>(betas.size() - 1));
  return betas;
}

/// One chain per temperature; chains keep their states and exchange temperatures.
class Ladder {
 public:
  Ladder(const IsingGraph& graph, std::vector<double> betas, std::uint64_t seed, std::uint64_t index)
      : graph_(graph),
        betas_(std::move(betas)),
        chain_at_(betas_.size()),
        chains_(graph.spins(), static_cast<int>(betas_.size()), seed,
                index * ((betas_.size() + kIsingLanes - 1) / kIsingLanes)),
        random_(seed, kSwapStreams + index) {
    std::iota(chain_at_.begin(), chain_at_.end(), 0);
  }

  void sweep(int sweeps) {
    std::vector<float> own(betas_.size());
    for (int t = 0; t < sweeps; ++t) {
      for (std::size_t k = 0; k < betas_.size(); ++k) own[chain_at_[k]] = static_cast<float>(betas_[k]);
      chains_.sweep(graph_, own, 1);
      swap();
    }
  }

  void coldest(std::span<std::int8_t> state) const {
    const auto all = chains_.states();
    const auto n = state.size();
    std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(chain_at_[0] * n), n, state.begin());
  }

 private:
  /// Pairs (0, 1), (2, 3), … and (1, 2), (3, 4), … in turn.
  void swap() {
    const auto energies = chains_.energies(graph_);
    odd_ = !odd_;
    for (std::size_t k = odd_ ? 1 : 0; k + 1 < betas_.size(); k += 2) {
      const double difference = energies[chain_at_[k]] - energies[chain_at_[k + 1]];
      if (std::log(random_.uniform()) < (betas_[k] - betas_[k + 1]) * difference)
        std::swap(chain_at_[k], chain_at_[k + 1]);
    }
  }

  const IsingGraph& graph_;
  std::vector<double> betas_;
  std::vector<std::size_t> chain_at_;  ///< chain at every temperature
  IsingChains chains_;
  Philox random_;
  bool odd_ = true;
};

}  // namespace

IsingSamples TemperingSampler::sample(const IsingProblem& problem, int count, std::uint64_t seed) const {
  const IsingGraph graph(problem);
  const auto betas = ladder_betas(settings_, problem.beta);
  const auto n = problem.fields.size(), samples = static_cast<std::size_t>(count),
             ladders = std::min(samples, static_cast<std::size_t>(settings_.ladders));
  std::vector<std::int8_t> values(samples * n);
  parallel_for(ladders, [&](std::size_t l) {
    Ladder ladder(graph, betas, seed, l);
    ladder.sweep(settings_.sweeps);
    for (std::size_t k = l; k < samples; k += ladders) {
      if (k != l) ladder.sweep(settings_.interval);
      ladder.coldest(std::span(values).subspan(k * n, n));
    }
  });
  return with_beta(problem, std::move(values));
}

}  // namespace cryoscape::latent
