#include "cryoscape/latent/qbm.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

using namespace cryoscape::latent;

namespace {

torch::Generator generator(std::uint64_t seed) { return torch::make_generator<at::CPUGeneratorImpl>(seed); }

/// Five coupled bits in a transverse field, in float64.
std::shared_ptr<QuantumBoltzmann> five_bits(double field) {
  PriorOptions o;
  o.kind = "qbm", o.bits = 5, o.chains = 800, o.transverse_field = field;
  auto prior = std::make_shared<QuantumBoltzmann>(o, 1);
  prior->to(torch::kFloat64);
  auto g = generator(2);
  prior->set_parameters(0.5 * torch::randn({5}, g), torch::randn({5, 5}, g));
  return prior;
}

torch::Tensor energies(const QuantumBoltzmann& prior) {
  torch::NoGradGuard no_grad;
  return prior.energy(binary_states(5, torch::kFloat64));
}

}  // namespace

TEST(QuantumBoltzmann, DiagonalisationIsClassicalWithoutField) {
  const auto prior = five_bits(1e-6);
  const auto found = prior->diagonalised();
  EXPECT_NEAR(found.log_partition, torch::logsumexp(-energies(*prior), 0).item<double>(), 1e-9);
  EXPECT_LT((found.diagonal - torch::softmax(-energies(*prior), 0)).abs().max().item<double>(), 1e-9);
}

TEST(QuantumBoltzmann, EnergyBoundsTheLogProbability) {
  for (const double field : {0.3, 1.0, 3.0}) {
    const auto prior = five_bits(field);
    const auto exact = prior->diagonalised();
    const auto gap = energies(*prior) + exact.log_partition + torch::log(exact.diagonal);
    EXPECT_GT(gap.min().item<double>(), 0) << field;
    // ⟨z|e^{−H}|z⟩ is least above e^{−E} for a diagonal H, and cosh^n Γ above it without couplings.
    EXPECT_GT(gap.max().item<double>(), 0.01 * field * field) << field;
  }
}

TEST(QuantumBoltzmann, PathsSampleTheDiagonal) {
  const double n = 20000;
  for (const double field : {1.0, 2.0}) {
    const auto prior = five_bits(field);
    auto g = generator(3);
    const auto start = prior->chains().narrow(0, 0, 50).repeat({400, 1});
    const auto paths = prior->advance(start, 25, g);
    const auto z = paths.narrow(1, 0, 5);  // the first slices
    const auto index = z.mv(torch::pow(2.0, torch::arange(5, torch::kFloat64))).to(torch::kInt64);
    const auto seen = torch::bincount(index, {}, 32).to(torch::kFloat64) / n;
    const auto exact = prior->diagonalised().diagonal;
    const double variation = 0.5 * (seen - exact).abs().sum().item<double>();
    const double floor =
        0.5 * torch::sqrt(2 * exact * (1 - exact) / std::numbers::pi / n).sum().item<double>();
    // Slices of Γ/P ≤ 1/8 add some 0.004.
    EXPECT_LT(variation, 0.004 + 1.5 * floor) << field;
    const auto classical = torch::softmax(-energies(*prior), 0);
    EXPECT_GT(0.5 * (exact - classical).abs().sum().item<double>(), 3 * variation) << field;
  }
}

TEST(QuantumBoltzmann, AnnealedBracketContainsTheExactPartition) {
  for (const double field : {0.5, 2.0}) {
    const auto prior = five_bits(field);
    auto g = generator(4);
    const double exact = prior->log_partition().value;
    const auto paths = prior->advance(prior->chains().repeat({5, 1}), 200, g);
    const auto bracket = prior->annealed_bracket(paths, 200, g);
    // Sampling, and a Trotter error of (Γ/P)² times the size of the commutators.
    EXPECT_LT(bracket.lower, exact + 0.04) << field;
    EXPECT_GT(bracket.upper, exact - 0.03) << field;
    EXPECT_LT(bracket.upper - bracket.lower, 0.1) << field;
  }
}
