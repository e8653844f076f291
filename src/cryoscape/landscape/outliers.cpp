#include "cryoscape/landscape/outliers.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "cryoscape/inference/expansions.hpp"
#include "cryoscape/landscape/mixture.hpp"
#include "cryoscape/landscape/states.hpp"
#include "cryoscape/model/no_particle.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/progress.hpp"

namespace cryoscape::landscape {
namespace {

constexpr int kBatch = 64;
constexpr std::size_t kMostForPower = 512;
constexpr std::size_t kMostFitted = 20000;
constexpr double kLeastGap = 2;  ///< standard deviations; closer, two equal Gaussians have one mode

float nan() { return std::numeric_limits<float>::quiet_NaN(); }

/// Latents (B, d) of a batch's particles.
torch::Tensor latents_of(const Conformations& conformations, const particles::Batch& batch) {
  const auto d = static_cast<std::int64_t>(conformations.latent_dim());
  auto z = torch::empty({batch.size(), d});
  for (std::int64_t i = 0; i < batch.size(); ++i) {
    const auto row =
        conformations.latent(static_cast<std::size_t>(batch.indices.data_ptr<std::int64_t>()[i]));
    std::copy(row.begin(), row.end(), z.data_ptr<float>() + i * d);
  }
  return z;
}

/// The molecule's power, from predictions of the first particles.
std::vector<double> power_of(model::HeterogeneityModel& model, const Conformations& conformations,
                             particles::ParticleLoader& loader) {
  const auto& usable = conformations.usable();
  loader.start(
      {usable.begin(), usable.begin() + static_cast<std::ptrdiff_t>(std::min(usable.size(), kMostForPower))});
  auto& spectral = model.spectral();
  std::vector<model::SpectralSums> sums(static_cast<std::size_t>(spectral.groups() * spectral.shells()));
  std::vector<double> ctf(sums.size(), 0.0);
  particles::Batch batch;
  while (loader.next(batch)) {
    if (batch.size() == 0) continue;
    const auto coordinates = model.decode(latents_of(conformations, batch)).contiguous();
    const auto scores = model.score(coordinates, batch, true);
    for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += scores.sums[k];
    model::add_ctf_power(spectral, model::view(batch, coordinates), ctf);
  }
  return model::molecule_power(spectral, sums, ctf);
}

/// The evidence here is that against noise alone.
void score_batch(model::HeterogeneityModel& model, const Conformations& conformations,
                 const particles::Batch& batch, std::span<const double> power, OutlierScores& out) {
  const auto z = latents_of(conformations, batch);
  const auto coordinates = model.decode(z).contiguous();
  const auto scores = model.score(coordinates, batch, false);
  const auto energy = model.prior().energy(z).to(torch::kFloat32).contiguous();
  std::vector<float> nothing(static_cast<std::size_t>(batch.size()), 0.0f), other = nothing;
  if (!model.likelihood_options().correlation) {
    model::no_particle_likelihood(model.spectral(), model::view(batch, coordinates), nothing);
    model::other_object_likelihood(model.spectral(), model::view(batch, coordinates), power, other);
  }
  for (std::int64_t i = 0; i < batch.size(); ++i) {
    const auto particle = static_cast<std::size_t>(batch.indices.data_ptr<std::int64_t>()[i]);
    const auto row = static_cast<std::size_t>(i);
    out.evidence_ratio[particle] = scores.log_likelihood.data_ptr<float>()[i] - nothing[row];
    out.object_evidence[particle] = other[row] - nothing[row];
    out.contrast[particle] = scores.contrast.data_ptr<float>()[i];
    out.chi_square[particle] = scores.chi_square.data_ptr<float>()[i];
    out.energy[particle] = energy.data_ptr<float>()[i];
  }
}

void raise(std::vector<float>& evidence, const std::vector<std::uint32_t>& particle,
           const std::vector<float>& log_ratio, const std::filesystem::path& folder) {
  if (!particle.empty() && particle.back() >= evidence.size())
    fail("{} is of other particles: run cryoscape refine again", folder.string());
  for (std::size_t m = 0; m < particle.size(); ++m)
    evidence[particle[m]] = std::fmax(evidence[particle[m]], log_ratio[m]);
}

/// The modes and draws that refine found, where it was run.
void raise_by_refined(const training::RunFolder& folder, std::vector<float>& evidence) {
  const auto likelihood = folder.file("likelihood");
  if (std::filesystem::exists(likelihood / "expansion_particle.npy")) {
    const auto expansions = inference::read_expansions(likelihood);
    raise(evidence, expansions.particle, expansions.log_ratio, likelihood);
  }
  if (std::filesystem::exists(likelihood / "draw_particle.npy")) {
    const auto draws = inference::read_scored_draws(likelihood);
    raise(evidence, draws.particle, draws.log_ratio, likelihood);
  }
}

/// Between two Gaussians, where they are equally likely.
double crossing(const Mixture& mixture, std::size_t low, std::size_t high) {
  const MixtureDensity density(mixture);
  double a = mixture[low].mean[0], b = mixture[high].mean[0];
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (a + b);
    const auto share = density.responsibilities(Eigen::VectorXd::Constant(1, middle));
    (share[static_cast<Eigen::Index>(low)] > 0.5 ? a : b) = middle;
  }
  return 0.5 * (a + b);
}

double bic(const Fit& fit, std::size_t components, double n) {
  return parameter_count(components, 1) * std::log(n) - 2 * n * fit.log_likelihood;
}

}  // namespace

OutlierScores score_outliers(training::Run& run, const Conformations& conformations,
                             std::span<const float> distance) {
  torch::NoGradGuard no_grad;
  auto& model = *run.model;
  const std::vector<float> unknown(conformations.particles(), nan());
  OutlierScores out{unknown, unknown, unknown, unknown, unknown, unknown};
  const auto& usable = conformations.usable();
  for (std::size_t i = 0; i < distance.size(); ++i) out.neighbour_distance[usable[i]] = distance[i];
  particles::ParticleLoader loader(
      run.data.particles, run.data.loader_options(kBatch, false, run.settings.model.ctf_box == "wide"));
  const auto power = power_of(model, conformations, loader);
  loader.start({usable.begin(), usable.end()});
  Progress progress("outlier scores", usable.size(), "particles");
  particles::Batch batch;
  while (loader.next(batch)) {
    throw_if_interrupted();
    if (batch.size() > 0) score_batch(model, conformations, batch, power, out);
    progress.advance(static_cast<std::size_t>(batch.consumed));
  }
  if (!model.likelihood_options().correlation) raise_by_refined(run.folder, out.evidence_ratio);
  for (std::size_t i = 0; i < out.size(); ++i)
    out.evidence_ratio[i] -= std::max(0.0f, out.object_evidence[i]);
  return out;
}

std::optional<OutlierSplit> split_outliers(std::span<const float> evidence_ratio, std::uint64_t seed) {
  std::vector<double> values;
  for (const float e : evidence_ratio)
    if (std::isfinite(e)) values.push_back(e);
  const auto rows = random_subset(values.size(), kMostFitted, seed);
  if (rows.size() < 10) return std::nullopt;
  Points points(1, static_cast<Eigen::Index>(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) points(0, static_cast<Eigen::Index>(i)) = values[rows[i]];
  const auto one = fit_mixture(points, 1, nullptr, seed), two = fit_mixture(points, 2, &one.mixture, seed);
  const auto n = static_cast<double>(rows.size());
  if (!(bic(two, 2, n) < bic(one, 1, n))) return std::nullopt;
  const std::size_t low = two.mixture[0].mean[0] < two.mixture[1].mean[0] ? 0 : 1, high = 1 - low;
  const auto deviation = [&](std::size_t k) { return std::sqrt(two.mixture[k].covariance(0, 0)); };
  const double gap = two.mixture[high].mean[0] - two.mixture[low].mean[0];
  if (gap < kLeastGap * 0.5 * (deviation(low) + deviation(high))) return std::nullopt;
  return OutlierSplit{crossing(two.mixture, low, high), two.mixture[low].weight};
}

void write_outliers(const training::RunFolder& folder, const OutlierScores& scores) {
  std::vector<float> table;
  table.reserve(kOutlierColumns.size() * scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i)
    for (const auto* column : {&scores.evidence_ratio, &scores.contrast, &scores.energy, &scores.chi_square,
                               &scores.neighbour_distance, &scores.object_evidence})
      table.push_back((*column)[i]);
  io::write_npy(folder.file("outliers.npy"), {scores.size(), kOutlierColumns.size()}, table);
}

nlohmann::json outliers_json(const std::optional<OutlierSplit>& split) {
  nlohmann::json out{
      {"columns", kOutlierColumns}, {"default", kOutlierColumns[0]}, {"threshold", nullptr}, {"share", 0.0}};
  if (split) out["threshold"] = split->threshold, out["share"] = split->share;
  return out;
}

}  // namespace cryoscape::landscape
