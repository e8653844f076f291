#include "cryoscape/latent/ising_sqa.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/latent/ising_beta.hpp"
#include "cryoscape/latent/ising_kernel.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::latent {
namespace {

/// The slices of one system, in the columns of (n, width); columns beyond P are not used.
class TrotterSystem {
 public:
  TrotterSystem(const IsingGraph& graph, double beta, int slices, const Philox& random)
      : graph_(graph),
        step_(beta / slices),
        slices_(static_cast<std::size_t>(slices)),
        width_((slices_ + kIsingLanes - 1) / kIsingLanes * kIsingLanes),
        spins_(width_ * graph.fields.size()),
        fields_(width_),
        bound_(slices_),
        random_(random) {
    for (auto& s : spins_) s = random_() & 1 ? 1.0f : -1.0f;
  }

  void sweep(double gamma) {
    throw_if_interrupted();
    // 1 − e^{−2K}
    const double bond = 1 - std::tanh(step_ * gamma);
    for (int i = 0; i < graph_.spins(); ++i) update(i, bond);
  }

  void read_slice(std::span<std::int8_t> state) {
    const auto k = random_.below(slices_);
    for (std::size_t i = 0; i < state.size(); ++i)
      state[i] = static_cast<std::int8_t>(spins_[i * width_ + k]);
  }

 private:
  /// Cuts the ring of spin i between slices that differ, and elsewhere with probability e^{−2K}; every piece
  /// then points along its summed field with its heat-bath probability.
  void update(int i, double bond) {
    ising_fields(graph_, i, spins_.data(), width_, fields_.data());
    float* ring = spins_.data() + static_cast<std::size_t>(i) * width_;
    std::size_t start = 0;
    for (std::size_t k = 0; k < slices_; ++k) {
      const auto next = k + 1 == slices_ ? 0 : k + 1;
      bound_[k] = ring[k] == ring[next] && random_.uniform() < bond;
      if (!bound_[k]) start = next;
    }
    double field = 0;
    for (std::size_t done = 0, first = 0; done < slices_; ++done) {
      const auto k = (start + done) % slices_;
      field += fields_[k];
      if (bound_[k] && done + 1 < slices_) continue;
      const bool up = random_.uniform() < 1 / (1 + std::exp(-2 * step_ * field));
      for (; first <= done; ++first) ring[(start + first) % slices_] = up ? 1.0f : -1.0f;
      field = 0;
    }
  }

  const IsingGraph& graph_;
  double step_;
  std::size_t slices_, width_;
  std::vector<float> spins_, fields_;
  std::vector<char> bound_;  ///< slice k to k + 1
  Philox random_;
};

}  // namespace

IsingSamples SqaSampler::sample(const IsingProblem& problem, int count, std::uint64_t seed) const {
  const IsingGraph graph(problem);
  const auto n = problem.fields.size(), samples = static_cast<std::size_t>(count),
             systems = std::min(samples, static_cast<std::size_t>(settings_.systems));
  const int falling = settings_.sweeps / 2;
  const double extra = std::max(0.0, settings_.gamma_start - settings_.gamma);
  std::vector<std::int8_t> values(samples * n);
  parallel_for(systems, [&](std::size_t l) {
    TrotterSystem system(graph, problem.beta, settings_.slices, Philox(seed, l));
    for (int t = 0; t < settings_.sweeps; ++t)
      system.sweep(settings_.gamma + (t < falling ? extra * (falling - t) / falling : 0));
    for (std::size_t k = l; k < samples; k += systems) {
      for (int t = 0; k != l && t < settings_.interval; ++t) system.sweep(settings_.gamma);
      system.read_slice(std::span(values).subspan(k * n, n));
    }
  });
  return with_beta(problem, std::move(values));
}

}  // namespace cryoscape::latent
