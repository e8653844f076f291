#include "cryoscape/latent/qbm.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/latent/noise.hpp"
#include "cryoscape/latent/path_integral.hpp"

namespace cryoscape::latent {
namespace {

constexpr std::int64_t kDiagonalisedBits = 10;
constexpr int kTemperatures = 300;
constexpr int kSweepShare = 4;  ///< lines move as wholes, at more cost per sweep

std::int64_t slices_for(double field) {
  return std::max<std::int64_t>(8, static_cast<std::int64_t>(std::ceil(8 * field)));
}

/// Paths whose slices together are about as many as the chains asked for.
std::int64_t paths_for(const PriorOptions& options) {
  return std::max<std::int64_t>(16, options.chains / slices_for(options.transverse_field));
}

}  // namespace

QuantumBoltzmann::QuantumBoltzmann(const PriorOptions& options, std::uint64_t seed)
    : BoltzmannPrior(options, paths_for(options), slices_for(options.transverse_field), seed),
      field_(options.transverse_field),
      slices_(slices_for(options.transverse_field)) {
  sweeps_ = std::max(1, options.sweeps / kSweepShare);
}

torch::Tensor QuantumBoltzmann::moved(const DenseUnits& machine, const torch::Tensor& paths, int sweeps,
                                      torch::Generator& generator) const {
  const auto on_cpu = [](const torch::Tensor& t) { return float_values(t.to(torch::kCPU)); };
  const auto biases = on_cpu(machine.biases), couplings = on_cpu(machine.couplings);
  const auto out = on_cpu(paths).clone();
  const TransverseMachine m{static_cast<std::size_t>(bits()), static_cast<std::size_t>(slices_),
                            biases.data_ptr<float>(), couplings.data_ptr<float>(), field_};
  move_paths(m, {out.data_ptr<float>(), static_cast<std::size_t>(out.numel())}, sweeps, draw_seed(generator));
  return out.to(paths.options());
}

torch::Tensor QuantumBoltzmann::advance(const torch::Tensor& chains, int sweeps,
                                        torch::Generator& generator) const {
  torch::NoGradGuard no_grad;
  return moved(machine(), chains, sweeps, generator);
}

QuantumBoltzmann::Diagonalised QuantumBoltzmann::diagonalised() const {
  torch::NoGradGuard no_grad;
  const auto n = bits();
  const auto states = binary_states(n, w_.options().dtype(torch::kFloat64));
  const auto m = machine();
  auto h =
      torch::diag(latent::energy({m.biases.to(torch::kFloat64), m.couplings.to(torch::kFloat64)}, states));
  const auto index = torch::arange(states.size(0), torch::kInt64);
  for (std::int64_t i = 0; i < n; ++i)
    h.index_put_({index, torch::bitwise_xor(index, torch::full({1}, std::int64_t{1} << i, torch::kInt64))},
                 torch::full({1}, -field_, h.options()));
  const auto [values, vectors] = torch::linalg_eigh(h);
  const double log_z = torch::logsumexp(-values, 0).item<double>();
  return {log_z, vectors.pow(2).mv(torch::exp(-values - log_z))};
}

LogPartition QuantumBoltzmann::log_partition() {
  if (bits() <= kDiagonalisedBits) {
    const double value = diagonalised().log_partition;
    return {value, value, value, true};
  }
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(kAnnealingSeed);
  return annealed_bracket(advance(chains_, kEquilibrationSweeps, generator), kTemperatures, generator);
}

LogPartition QuantumBoltzmann::annealed_bracket(const torch::Tensor& equilibrated, int temperatures,
                                                torch::Generator& generator) const {
  torch::NoGradGuard no_grad;
  const auto full = machine();
  AnnealedModel model;
  // Without biases and couplings, the spins' (2 cosh Γ)ⁿ.
  model.log_partition_at_zero = static_cast<double>(bits()) * std::log(2 * std::cosh(field_));
  model.sample_at_zero = [&](std::int64_t n) {
    const auto paths = torch::zeros({n, equilibrated.size(1)}, torch::kFloat32);
    const TransverseMachine m{static_cast<std::size_t>(bits()), static_cast<std::size_t>(slices_), nullptr,
                              nullptr, field_};
    draw_free_paths(m, {paths.data_ptr<float>(), static_cast<std::size_t>(paths.numel())},
                    draw_seed(generator));
    return paths.to(equilibrated.options());
  };
  model.log_weight = [&](const torch::Tensor& paths, double beta) {
    return -beta * latent::energy(full, states_of(paths)).view({paths.size(0), -1}).mean(1);
  };
  model.transition = [&](const torch::Tensor& paths, double beta) {
    return moved({beta * full.biases, beta * full.couplings}, paths, 1, generator);
  };
  return annealed_log_partition(model, equilibrated, temperatures);
}

}  // namespace cryoscape::latent
