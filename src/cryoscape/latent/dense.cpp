#include "cryoscape/latent/dense.hpp"

#include "cryoscape/latent/gibbs_kernel.hpp"
#include "cryoscape/latent/noise.hpp"

namespace cryoscape::latent {
namespace {

/// The same by tensor operations, for other devices than the CPU.
torch::Tensor device_gibbs(const DenseUnits& m, const torch::Tensor& z, int sweeps,
                           torch::Generator& generator) {
  auto out = z.clone();
  for (int s = 0; s < sweeps; ++s)
    for (std::int64_t i = 0; i < out.size(1); ++i) {
      const auto field = m.biases[i] + out.mv(m.couplings[i]);
      out.select(1, i).copy_(bernoulli_bits(torch::sigmoid(field).unsqueeze(1), generator).squeeze(1));
    }
  return out;
}

}  // namespace

torch::Tensor energy(const DenseUnits& m, const torch::Tensor& z) {
  return -z.mv(m.biases) - 0.5 * (z.mm(m.couplings) * z).sum(1);
}

torch::Tensor unit_fields(const DenseUnits& m, const torch::Tensor& z) {
  return m.biases + z.mm(m.couplings);
}

torch::Tensor gibbs(const DenseUnits& m, const torch::Tensor& z, int sweeps, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  if (!z.device().is_cpu()) return device_gibbs(m, z, sweeps, generator);
  const auto biases = float_values(m.biases), couplings = float_values(m.couplings);
  const auto chains = float_values(z).clone();
  const DenseMachine machine{static_cast<std::size_t>(z.size(1)), biases.data_ptr<float>(),
                             couplings.data_ptr<float>()};
  sequential_gibbs(machine, {chains.data_ptr<float>(), static_cast<std::size_t>(chains.numel())}, sweeps,
                   draw_seed(generator));
  return chains.to(z.dtype());
}

LogPartition annealed_bracket(const DenseUnits& m, const torch::Tensor& equilibrated, int temperatures,
                              torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  AnnealedModel model;
  model.log_partition_at_zero = torch::softplus(m.biases).sum().item<double>();
  model.sample_at_zero = [&](std::int64_t n) {
    return bernoulli_bits(torch::sigmoid(m.biases).expand({n, m.biases.size(0)}), generator);
  };
  model.log_weight = [&](const torch::Tensor& z, double beta) {
    return -energy({m.biases, beta * m.couplings}, z);
  };
  model.transition = [&](const torch::Tensor& z, double beta) {
    return gibbs({m.biases, beta * m.couplings}, z, 1, generator);
  };
  return annealed_log_partition(model, equilibrated, temperatures);
}

LogPartition log_partition(const DenseUnits& m, const torch::Tensor& chains) {
  torch::NoGradGuard no_grad;
  const auto n = m.biases.size(0);
  if (n > kExactBits) {
    auto generator = torch::make_generator<at::CPUGeneratorImpl>(kAnnealingSeed);
    return annealed_bracket(m, gibbs(m, chains, kEquilibrationSweeps, generator), kAnnealingTemperatures,
                            generator);
  }
  const double value = log_sum_over_states(n, m.biases.options(),
                                           [&](const torch::Tensor& states) { return -energy(m, states); });
  return {value, value, value, true};
}

}  // namespace cryoscape::latent
