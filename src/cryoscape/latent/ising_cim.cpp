#include "cryoscape/latent/ising_cim.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/latent/ising_beta.hpp"
#include "cryoscape/latent/ising_kernel.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::latent {
namespace {

constexpr float kTimeStep = 0.075f, kErrorRate = 0.3f, kSmall = 0.01f;
constexpr float kMomentum = 0.9f, kForce = 0.1f, kCoupling = 0.01f, kNoise = 0.03f, kPump = 6.5f;

/// Amplitudes of kIsingLanes machines, (n, lanes).
struct Machines {
  const IsingGraph& graph;
  Philox random;
  std::vector<float> x, force;  ///< amplitudes; Jx + h

  Machines(const IsingGraph& g, std::uint64_t seed, std::uint64_t block)
      : graph(g), random(seed, block), x(g.fields.size() * kIsingLanes), force(x.size()) {
    for (auto& v : x) v = kSmall * static_cast<float>(random.normal());
  }

  void compute_force() {
    throw_if_interrupted();
    for (int i = 0; i < graph.spins(); ++i)
      ising_fields(graph, i, x.data(), kIsingLanes, force.data() + i * kIsingLanes);
  }
};

/// `integrate(machines)` for as many blocks as the samples need; their signs.
template <class Integrate>
IsingSamples signs(const IsingProblem& problem, int count, std::uint64_t seed, const Integrate& integrate) {
  const IsingGraph graph(problem);
  const auto n = problem.fields.size(), samples = static_cast<std::size_t>(count);
  std::vector<std::int8_t> values(samples * n);
  parallel_for((samples + kIsingLanes - 1) / kIsingLanes, [&](std::size_t b) {
    Machines machines(graph, seed, b);
    integrate(machines);
    for (std::size_t k = b * kIsingLanes; k < std::min(samples, (b + 1) * kIsingLanes); ++k)
      for (std::size_t i = 0; i < n; ++i)
        values[k * n + i] = machines.x[i * kIsingLanes + k % kIsingLanes] < 0 ? -1 : 1;
  });
  return with_beta(problem, std::move(values));
}

/// √(2n/ΣJ²), the sum over both triangles; of fields alone where nothing is coupled.
float coupling_strength(const IsingProblem& problem) {
  double sum = 0;
  for (const auto& c : problem.couplings) sum += 2 * c.value * c.value;
  if (sum == 0)
    for (const double h : problem.fields) sum += h * h;
  return sum == 0 ? 0 : static_cast<float>(std::sqrt(2 * static_cast<double>(problem.spins()) / sum));
}

}  // namespace

IsingSamples CimSampler::sample(const IsingProblem& problem, int count, std::uint64_t seed) const {
  const float strength = coupling_strength(problem);
  return signs(problem, count, seed, [&](Machines& m) {
    std::vector<float> error(m.x.size(), 1.0f);
    for (int t = 0; t < settings_.steps; ++t) {
      const float part = std::min(1.0f, static_cast<float>(t) / (0.9f * static_cast<float>(settings_.steps)));
      const float pump = -0.5f + 1.5f * part, target = 1 + 2 * part;
      m.compute_force();
      for (std::size_t k = 0; k < m.x.size(); ++k) {
        const float x = m.x[k], e = error[k];
        m.x[k] += kTimeStep * (-x * x * x + (pump - 1) * x + strength * e * m.force[k]);
        error[k] -= kTimeStep * kErrorRate * e * (x * x - target);
      }
    }
  });
}

IsingSamples SimCimSampler::sample(const IsingProblem& problem, int count, std::uint64_t seed) const {
  return signs(problem, count, seed, [&](Machines& m) {
    std::vector<float> velocity(m.x.size());
    for (int t = 0; t < settings_.steps; ++t) {
      const float u = -3 + 6 * static_cast<float>(t) / static_cast<float>(settings_.steps);
      const float pump = kPump * (std::tanh(u) - 1);
      m.compute_force();
      for (std::size_t k = 0; k < m.x.size(); ++k) {
        const float noise = kNoise * static_cast<float>(m.random.normal());
        velocity[k] = kMomentum * velocity[k] + kForce * (pump * m.x[k] + kCoupling * m.force[k] + noise);
        if (const float moved = m.x[k] + velocity[k]; std::abs(moved) < 1) m.x[k] = moved;
      }
    }
  });
}

}  // namespace cryoscape::latent
