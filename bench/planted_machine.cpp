#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "cryoscape/latent/prior.hpp"
#include "cryoscape/latent/rbm.hpp"
#include "cryoscape/util/blas_threads.hpp"

// How well a restricted Boltzmann machine of 10 + 10 bits with three modes is learned from 100,000 of its
// samples.
//   planted_machine [SEED [STEPS]]   total variation between the learned and the planted distribution
//   planted_machine --steps          milliseconds of a training step of every prior with bits

using namespace cryoscape;
using namespace cryoscape::latent;

namespace {

constexpr std::int64_t kSide = 10, kSamples = 100000, kBatch = 256;

/// log p (2^20) of all states.
torch::Tensor log_probabilities(const Prior& prior) {
  torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> parts;
  for (std::int64_t first = 0; first < 1 << 20; first += 1 << 16)
    parts.push_back(
        -prior.energy(binary_states(2 * kSide, torch::kFloat32, first, 1 << 16)).to(torch::kFloat64));
  return torch::log_softmax(torch::cat(parts), 0);
}

double variation(const torch::Tensor& log_p, const torch::Tensor& q) {
  return 0.5 * (log_p.exp() - q).abs().sum().item<double>();
}

/// The modes' populations: states by the pattern that they are nearest to.
struct Modes {
  torch::Tensor patterns;  ///< (3, 20)
  torch::Tensor nearest;   ///< (2^20)

  explicit Modes(torch::Generator& g) : patterns(torch::bernoulli(torch::full({3, 2 * kSide}, 0.5), g)) {
    std::vector<torch::Tensor> parts;
    for (std::int64_t first = 0; first < 1 << 20; first += 1 << 16) {
      const auto spins = 2 * binary_states(2 * kSide, torch::kFloat32, first, 1 << 16) - 1;
      parts.push_back(spins.mm((2 * patterns - 1).t()).argmax(1));
    }
    nearest = torch::cat(parts);
  }
  torch::Tensor populations(const torch::Tensor& p) const {
    return torch::zeros({3}, torch::kFloat64).index_add(0, nearest, p);
  }
};

/// Hopfield couplings of the patterns in spins, s₁ᵀ(Σ x_k p_k p_kᵀ)s₂ and fields along the patterns, fitted
/// so that the modes' populations are 70, 25 and 5 %.
void plant(RestrictedBoltzmann& machine, const Modes& modes) {
  constexpr double kStrength = 0.14;
  const auto spins = 2 * modes.patterns - 1;
  const auto left = spins.narrow(1, 0, kSide), right = spins.narrow(1, kSide, kSide);
  const auto couplings = kStrength * left.t().mm(right);
  const auto wanted = torch::tensor({0.7, 0.25, 0.05}, torch::kFloat64);
  auto tilt = torch::zeros({3});
  for (int i = 0; i < 100; ++i) {
    const auto fields = spins.t().mv(tilt);
    // Bits for spins: W = 4J, b = 2h − 2 Σ J.
    const auto biases = 2 * fields - 2 * torch::cat({couplings.sum(1), couplings.sum(0)});
    machine.set_parameters(biases, 4 * couplings);
    const auto found = modes.populations(log_probabilities(machine).exp());
    tilt = tilt + 0.08 * torch::log(wanted / found).to(torch::kFloat32);
  }
}

torch::Tensor bits_of_states(const torch::Tensor& states) {
  const auto shift = torch::arange(2 * kSide, torch::kInt64);
  return torch::bitwise_and(torch::bitwise_right_shift(states.unsqueeze(1), shift),
                            torch::ones({1}, torch::kInt64))
      .to(torch::kFloat32);
}

void recover(std::uint64_t seed, int steps) {
  auto g = torch::make_generator<at::CPUGeneratorImpl>(seed);
  PriorOptions options;
  options.kind = "rbm", options.bits = 2 * kSide;
  const Modes modes(g);
  RestrictedBoltzmann planted(options, seed);
  plant(planted, modes);
  const auto truth = log_probabilities(planted);
  // Exact draws: the inverse of the distribution function.
  const auto u = torch::rand({kSamples}, g, torch::kFloat64);
  const auto states = torch::searchsorted(torch::cumsum(truth.exp(), 0), u).clamp_max((1 << 20) - 1);
  const auto counts =
      torch::bincount(states, {}, 1 << 20).to(torch::kFloat64) / static_cast<double>(kSamples);
  fmt::print("planted populations {:.4f}, empirical TV {:.4f}\n",
             fmt::join(values_of(modes.populations(truth.exp())), " "), variation(truth, counts));

  const auto data = bits_of_states(states);
  RestrictedBoltzmann learned(options, seed + 1);
  learned.after_warm_up(data, torch::zeros_like(data), g);
  const auto optimiser = learned.make_optimiser();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 1; i <= steps; ++i) {
    const auto batch = data.index({torch::randint(data.size(0), {kBatch}, g, torch::kInt64)});
    optimiser->zero_grad();
    learned.contrast({2 * kSide, torch::logit(batch, 1e-6), {}}, {batch, batch}, g).backward();
    optimiser->step();
    if (i % std::max(1, steps / 5) == 0) {
      const auto p = log_probabilities(learned);
      fmt::print("{:6} steps, {:5.1f} s: TV {:.4f}, KL {:.5f}, populations {:.4f}\n", i,
                 std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
                 variation(truth, p.exp()), (truth.exp() * (truth - p)).sum().item<double>(),
                 fmt::join(values_of(modes.populations(p.exp())), " "));
      std::fflush(stdout);
    }
  }
  fmt::print("{}\n", learned.diagnostics().dump());
}

/// Median time of draw, cross entropy, contrast and the optimiser's step, with their gradients.
double milliseconds_of_a_step(const PriorOptions& options) {
  const auto prior = make_prior(options, 1);
  auto g = torch::make_generator<at::CPUGeneratorImpl>(1);
  const auto means = torch::rand({2000, prior->dim()}, g);
  prior->after_warm_up(means, torch::full_like(means, 0.3f), g);
  const auto optimiser = prior->make_optimiser();
  std::vector<double> times;
  for (int i = 0; i < 61; ++i) {
    Posterior q{prior->bits(), torch::randn({64, prior->dim()}, g).requires_grad_(), {}};
    if (q.has_reals()) q.log_std = torch::zeros({64, prior->dim() - prior->bits()}).requires_grad_();
    const auto start = std::chrono::steady_clock::now();
    const auto sample = prior->draw(q, g);
    (prior->cross_entropy(q, sample) - entropy(q)).mean().backward();
    optimiser->zero_grad();
    prior->contrast(q, sample, g).backward();
    optimiser->step();
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + 30, times.end());
  return times[30];
}

}  // namespace

int main(int argc, char** argv) {
  torch::set_num_threads(1);
  set_blas_threads(1);
  if (argc > 1 && std::string(argv[1]) == "--steps") {
    PriorOptions options;
    for (const std::string kind :
         {"bernoulli", "rbm", "rbm-hidden", "boltzmann", "dbm", "qbm", "rbm+gaussian"}) {
      options.kind = kind;
      fmt::print("{:14} {:6.2f} ms\n", kind, milliseconds_of_a_step(options));
    }
    return 0;
  }
  recover(argc > 1 ? std::stoull(argv[1]) : 1, argc > 2 ? std::stoi(argv[2]) : 20000);
}
