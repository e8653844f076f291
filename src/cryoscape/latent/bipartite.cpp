#include "cryoscape/latent/bipartite.hpp"

#include "cryoscape/latent/gibbs_kernel.hpp"
#include "cryoscape/latent/noise.hpp"

namespace cryoscape::latent {
namespace {

/// The same by tensor operations, for other devices than the CPU.
torch::Tensor device_gibbs(const BipartiteUnits& m, const torch::Tensor& z, int sweeps,
                           torch::Generator& generator) {
  auto left = m.left_of(z), right = m.right_of(z);
  const auto b1 = m.left_of(m.biases), b2 = m.right_of(m.biases);
  const auto wt = m.couplings.t().contiguous();
  for (int s = 0; s < sweeps; ++s) {
    left = bernoulli_bits(torch::sigmoid(torch::addmm(b1, right, wt)), generator);
    right = bernoulli_bits(torch::sigmoid(torch::addmm(b2, left, m.couplings)), generator);
  }
  return torch::cat({left, right}, 1);
}

}  // namespace

DenseUnits dense_units(const BipartiteUnits& m) {
  const auto& w = m.couplings;
  const auto above = torch::cat({w.new_zeros({m.left(), m.left()}), w}, 1),
             below = torch::cat({w.t(), w.new_zeros({m.right(), m.right()})}, 1);
  return {m.biases, torch::cat({above, below})};
}

torch::Tensor energy(const BipartiteUnits& m, const torch::Tensor& z) {
  return -z.mv(m.biases) - (m.left_of(z).mm(m.couplings) * m.right_of(z)).sum(1);
}

torch::Tensor unit_fields(const BipartiteUnits& m, const torch::Tensor& z) {
  return m.biases + torch::cat({m.right_of(z).mm(m.couplings.t()), m.left_of(z).mm(m.couplings)}, 1);
}

torch::Tensor gibbs(const BipartiteUnits& m, const torch::Tensor& z, int sweeps,
                    torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  if (!z.device().is_cpu()) return device_gibbs(m, z, sweeps, generator);
  const auto biases = float_values(m.biases), couplings = float_values(m.couplings);
  const auto chains = float_values(z).clone();
  const BipartiteMachine machine{static_cast<std::size_t>(m.left()), static_cast<std::size_t>(m.right()),
                                 biases.data_ptr<float>(), couplings.data_ptr<float>()};
  block_gibbs(machine, {chains.data_ptr<float>(), static_cast<std::size_t>(chains.numel())}, sweeps,
              draw_seed(generator));
  return chains.to(z.dtype());
}

LogPartition annealed_bracket(const BipartiteUnits& m, const torch::Tensor& equilibrated, int temperatures,
                              torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto b1 = m.left_of(m.biases), b2 = m.right_of(m.biases);
  AnnealedModel model;
  model.log_partition_at_zero = torch::softplus(m.biases).sum().item<double>();
  model.sample_at_zero = [&](std::int64_t n) {
    return bernoulli_bits(torch::sigmoid(m.biases).expand({n, m.biases.size(0)}), generator);
  };
  // The right side is summed out, annealed along W → βW.
  model.log_weight = [&](const torch::Tensor& z, double beta) {
    const auto left = m.left_of(z);
    return left.mv(b1) + torch::softplus(b2 + beta * left.mm(m.couplings)).sum(1);
  };
  model.transition = [&](const torch::Tensor& z, double beta) {
    // Right, then left: the step leaves the left side's marginal invariant, whatever the right side was.
    const auto left = m.left_of(z), w = beta * m.couplings;
    const BipartiteUnits swapped{torch::cat({b2, b1}), w.t()};
    const auto moved = gibbs(swapped, torch::cat({m.right_of(z), left}, 1), 1, generator);
    return torch::cat({swapped.right_of(moved), swapped.left_of(moved)}, 1);
  };
  return annealed_log_partition(model, equilibrated, temperatures);
}

LogPartition log_partition(const BipartiteUnits& m, const torch::Tensor& chains) {
  torch::NoGradGuard no_grad;
  if (std::min(m.left(), m.right()) > kExactBits) {
    auto generator = torch::make_generator<at::CPUGeneratorImpl>(kAnnealingSeed);
    return annealed_bracket(m, gibbs(m, chains, kEquilibrationSweeps, generator), kAnnealingTemperatures,
                            generator);
  }
  // Sum over the smaller side; the other factorises.
  const bool over_left = m.left() <= m.right();
  const auto b1 = m.left_of(m.biases), b2 = m.right_of(m.biases);
  const auto own = over_left ? b1 : b2, other = over_left ? b2 : b1;
  const auto w = over_left ? m.couplings : m.couplings.t();
  const double value = log_sum_over_states(own.size(0), own.options(), [&](const torch::Tensor& states) {
    return states.mv(own) + torch::softplus(other + states.mm(w)).sum(1);
  });
  return {value, value, value, true};
}

}  // namespace cryoscape::latent
