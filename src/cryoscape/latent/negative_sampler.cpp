#include "cryoscape/latent/negative_sampler.hpp"

#include "cryoscape/latent/ising_bits.hpp"
#include "cryoscape/latent/noise.hpp"

namespace cryoscape::latent {
namespace {

constexpr const char* kPersistent = "gibbs";

}  // namespace

NegativeSampler::NegativeSampler(const std::string& sampler) {
  if (sampler == kPersistent) return;
  IsingOptions options;
  options.sampler = sampler;
  sampler_ = make_ising_sampler(options);
}

torch::Tensor NegativeSampler::draw(const DenseUnits& machine, std::int64_t n, torch::Generator& generator) {
  torch::NoGradGuard no_grad;
  const auto found =
      draw_samples(*sampler_, ising_problem(machine), static_cast<int>(n), draw_seed(generator));
  const auto& samples = found.samples;
  last_ = {{"sampler_beta_effective", samples.beta_effective}};
  if (found.raw_beta_effective) last_["sampler_raw_beta_effective"] = *found.raw_beta_effective;
  if (found.correction_sweeps) last_["sampler_correction_sweeps"] = *found.correction_sweeps;
  auto values = samples.values;
  const auto spins = torch::from_blob(values.data(), {samples.count(), samples.spins}, torch::kInt8);
  return (spins > 0).to(machine.biases.options().requires_grad(false));
}

void NegativeSampler::record(nlohmann::json& record) const {
  if (last_.is_object()) record.update(last_);
}

IsingProblem ising_problem(const DenseUnits& machine) {
  const auto n = static_cast<int>(machine.biases.size(0));
  const auto couplings = values_of(machine.couplings);
  BitEnergy bits{values_of(machine.biases), {}};
  for (int i = 0; i < n; ++i)
    for (int j = i + 1; j < n; ++j)
      if (const double w = couplings[static_cast<std::size_t>(i * n + j)]; w != 0)
        bits.weights.push_back({i, j, w});
  return to_spins(bits).problem;
}

}  // namespace cryoscape::latent
