#include <algorithm>

#include "cryoscape/inference/bit_proposal.hpp"
#include "cryoscape/inference/refined_run.hpp"

namespace cryoscape::inference {
namespace {

void append(std::vector<float>& to, const torch::Tensor& from) {
  const auto values = from.to(torch::kFloat32).contiguous();
  to.insert(to.end(), values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

nlohmann::ordered_json refine_bits(training::Run& run, const RefineOptions& options) {
  auto& model = *run.model;
  const auto means = encoder_latents(run, "latents.npy"), deviations = encoder_latents(run, "latent_std.npy");
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(options.seed) + 3);
  RefinedLatents latents(run.data.particles.size(), static_cast<std::size_t>(model.latent_dim()));
  ScoredDraws kept;
  kept.dim = latents.dim;
  std::vector<double> effective;
  for_all_particles(run, "refine", [&](const particles::Batch& batch) {
    const auto encoder = independent_posterior(model.prior().bits(), means.index_select(0, batch.indices),
                                               deviations.index_select(0, batch.indices));
    const auto settled = mean_field(model, batch, encoder, options.iterations);
    const auto draws = scored_draws(model, batch, encoder, settled, options.draws, generator);
    const auto energy = model.prior().energy(draws.latents.flatten(0, 1)).to(torch::kFloat64);
    const auto weights =
        torch::softmax(draws.log_ratio - energy.view_as(draws.log_ratio) - draws.log_proposal, 1);
    const auto z = draws.latents.to(torch::kFloat64);
    const auto mean = (weights.unsqueeze(2) * z).sum(1);
    const auto apart = z - mean.unsqueeze(1);
    const auto covariance = (apart * weights.unsqueeze(2)).transpose(1, 2).matmul(apart).contiguous();
    const auto own = weights.pow(2).sum(1).reciprocal();
    const auto d = static_cast<std::int64_t>(latents.dim);
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      const auto particle = batch.indices.data_ptr<std::int64_t>()[i];
      latents.set(static_cast<std::size_t>(particle), mean.data_ptr<double>() + i * d,
                  covariance.data_ptr<double>() + i * d * d);
      kept.particle.insert(kept.particle.end(), static_cast<std::size_t>(options.draws),
                           static_cast<std::uint32_t>(particle));
      effective.push_back(own.data_ptr<double>()[i]);
    }
    append(kept.latent, draws.latents);
    append(kept.log_ratio, draws.log_ratio);
    append(kept.log_proposal, draws.log_proposal);
  });
  latents.write(run.folder);
  write_scored_draws(run.folder.file("likelihood"), kept);
  return {{"method", "scored draws"},
          {"particles", latents.particles},
          {"usable", effective.size()},
          {"draws_per_particle", options.draws},
          {"median_effective_draws", median(effective)}};
}

}  // namespace cryoscape::inference
