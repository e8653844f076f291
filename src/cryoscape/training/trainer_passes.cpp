#include <cmath>
#include <limits>
#include <unordered_map>

#include "cryoscape/latent/latent_use.hpp"
#include "cryoscape/training/restrained_prior.hpp"
#include "cryoscape/training/trainer.hpp"

/// The trainer's passes over particles beside the epochs' own.
namespace cryoscape::training {
namespace {

constexpr std::size_t kCalibrationImages = 2000;
constexpr std::int64_t kRestrainedDraws = 4096;
constexpr std::size_t kProposingParticles = 512;

void sum_over_processes(std::vector<model::SpectralSums>& sums, ProcessGroup& group) {
  std::vector<double> flat;
  for (const auto& s : sums) flat.insert(flat.end(), {s.data_power, s.cross, s.prediction_power, s.count});
  group.sum(flat);
  for (std::size_t i = 0; i < sums.size(); ++i)
    sums[i] = {flat[4 * i], flat[4 * i + 1], flat[4 * i + 2], flat[4 * i + 3]};
}

void stop_if(int signal) {
  if (signal) throw Interrupted(signal, "interrupted");
}

}  // namespace

void Trainer::calibrate() {
  auto order = particles::shuffled_order(training_, options_.seed, 1000003, kShuffleBlock);
  order.resize(std::min(order.size(), kCalibrationImages));
  torch::NoGradGuard no_grad;
  const auto memory = static_cast<double>(order.size());
  for (const bool contrast_free : {false, true, true}) {
    std::vector<model::SpectralSums> total(model_.spectral().groups() * model_.spectral().shells());
    const auto reference = model_.decode(torch::zeros({1, model_.latent_dim()}, model_.device()));
    for_batches(loader_, order, [&](const SharedBatch& batch) {
      stop_if(batch.interrupt);
      if (batch.own.size() == 0) return;
      const auto coordinates = reference.expand({batch.own.size(), -1, -1}).contiguous();
      const auto scores = model_.score(coordinates, batch.own, true,
                                       contrast_free ? model::Score::training : model::Score::fixed_contrast);
      for (std::size_t i = 0; i < total.size(); ++i) total[i] += scores.sums[i];
    });
    sum_over_processes(total, group_);
    model_.spectral().forget();
    model_.spectral().update(total, memory, memory);
  }
}

Latents Trainer::encode(std::span<const std::uint32_t> particles) {
  torch::NoGradGuard no_grad;
  Latents out;
  out.dim = model_.latent_dim();
  const auto values = particles.size() * static_cast<std::size_t>(out.dim);
  out.mean.assign(values, 0.0f);
  out.standard_deviation = out.mean;
  std::vector<float> found(particles.size());
  std::unordered_map<std::uint32_t, std::size_t> row_of;
  for (std::size_t r = 0; r < particles.size(); ++r) row_of[particles[r]] = r;
  for_batches(pass_loader_, {particles.begin(), particles.end()}, [&](const SharedBatch& batch) {
    stop_if(batch.interrupt);
    if (batch.own.size() == 0) return;
    const auto posterior = model_.encode(batch.own);
    const auto mean = latent::expectation(posterior).to(torch::kCPU).contiguous();
    const auto deviation = latent::deviation(posterior).to(torch::kCPU).contiguous();
    for (std::int64_t i = 0; i < batch.own.size(); ++i) {
      const auto row = row_of.at(static_cast<std::uint32_t>(batch.own.indices.data_ptr<std::int64_t>()[i]));
      found[row] = 1;
      std::copy_n(mean.data_ptr<float>() + i * out.dim, out.dim,
                  out.mean.begin() + static_cast<std::ptrdiff_t>(row * out.dim));
      std::copy_n(deviation.data_ptr<float>() + i * out.dim, out.dim,
                  out.standard_deviation.begin() + static_cast<std::ptrdiff_t>(row * out.dim));
    }
  });
  for (auto* values : {&out.mean, &out.standard_deviation, &found})
    group_.sum(torch::from_blob(values->data(), {static_cast<std::int64_t>(values->size())}));
  for (std::size_t i = 0; i < values; ++i)
    if (found[i / static_cast<std::size_t>(out.dim)] == 0)
      out.mean[i] = out.standard_deviation[i] = std::numeric_limits<float>::quiet_NaN();
  return out;
}

torch::Tensor Trainer::bounds_of(const particles::Batch& batch, const latent::Posterior& encoded,
                                 const latent::BatchPart& part, int samples, torch::Generator& generator) {
  const auto& prior = model_.prior();
  std::vector<torch::Tensor> drawn;
  for (int k = 0; k < samples; ++k) {
    const auto sample = prior.draw_hard(encoded, generator, part);
    const auto posterior = latent::given(encoded, sample);
    const auto coordinates = model_.decode(sample.hard);
    auto score = model_.score(coordinates, batch, false).log_likelihood;
    if (options_.energy_in_prior)
      score = score -
              restraint_energy(coordinates, restraint_term(), restraint_schedule(), structure::Moments::keep);
    const auto log_ratio = samples > 1
                               ? -prior.energy(sample.hard) - latent::log_density(posterior, sample.hard)
                               : latent::entropy(posterior) - prior.cross_entropy(posterior, sample);
    drawn.push_back(score + log_ratio - partition_.value);
  }
  return torch::logsumexp(torch::stack(drawn), 0) - std::log(static_cast<double>(samples));
}

/// Of the first training particles.
PosteriorDraws Trainer::posterior_draws(torch::Generator& generator) {
  auto order = training_;
  order.resize(std::min<std::size_t>(order.size(), kProposingParticles));
  std::vector<torch::Tensor> means, log_stds;
  for_batches(pass_loader_, order, [&](const SharedBatch& batch) {
    if (batch.own.size() == 0) return;
    const auto q = model_.encode(batch.own);
    means.push_back(q.mean);
    if (q.has_reals()) log_stds.push_back(q.log_std);
  });
  if (means.empty()) return {};
  latent::Posterior all{model_.prior().bits(), torch::cat(means), {}, {}, {}};
  if (!log_stds.empty()) all.log_std = torch::cat(log_stds);
  return {all, model_.prior().draw_hard(all, generator).hard};
}

/// log Z of the density that the restraints are part of, where they are, with two standard errors around it.
latent::LogPartition Trainer::with_restraints(latent::LogPartition partition) {
  if (!options_.energy_in_prior) return partition;
  torch::NoGradGuard no_grad;
  auto generator =
      torch::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(options_.seed) + 79);
  const auto draws = restrained_draws(model_, restraint_term(), restraint_schedule(), kRestrainedDraws,
                                      partition.value, posterior_draws(generator), generator);
  const double log_mean = draws.log_mean.item<double>();
  return {partition.value + log_mean, partition.lower + log_mean - 2 * draws.standard_error,
          partition.upper + log_mean + 2 * draws.standard_error, false};
}

torch::Tensor Trainer::sample_prior(std::int64_t count) {
  torch::NoGradGuard no_grad;
  auto generator =
      torch::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(options_.seed) + 80);
  if (!options_.energy_in_prior) return model_.prior().sample(count, generator);
  return restrained_draws(model_, restraint_term(), restraint_schedule(), std::max(count, kRestrainedDraws),
                          prior_partition_.value, posterior_draws(generator), generator)
      .picked(count, generator);
}

/// Sum over a batch of how much better smoothed bits score than hard ones.
double Trainer::smoothing_gap(const particles::Batch& batch, const latent::Posterior& posterior,
                              const latent::BatchPart& part, torch::Generator& generator) {
  const auto sample = model_.prior().draw(posterior, generator, part);
  const auto score = [&](const torch::Tensor& z) {
    return model_.score(model_.decode(z), batch, false).log_likelihood.sum().item<double>();
  };
  return score(sample.smooth) - score(sample.hard);
}

HeldOutBound Trainer::held_out_bound(int samples) {
  torch::NoGradGuard no_grad;
  HeldOutBound out;
  if (held_out_.empty()) return out;
  out.reliable = partition_.known();
  auto generator =
      torch::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(options_.seed) + 77);
  auto gap_generator =
      torch::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(options_.seed) + 78);
  latent::LatentUse use(model_.prior().bits(), model_.latent_dim());
  std::int64_t usable = 0;
  double gap = 0;
  std::vector<double> values(2 * held_out_.size());  // particle and bound of those usable
  for_batches(pass_loader_, held_out_, [&](const SharedBatch& batch) {
    const auto posterior = model_.encode(batch.own);
    const auto bound =
        bounds_of(batch.own, posterior, batch.part, samples, generator).to(torch::kCPU).contiguous();
    for (std::int64_t i = 0; i < bound.size(0); ++i) {
      const auto at = static_cast<std::size_t>(2 * (usable + batch.part.first + i));
      values[at] = static_cast<double>(batch.own.indices.data_ptr<std::int64_t>()[i]);
      values[at + 1] = bound.data_ptr<float>()[i];
    }
    use.add(posterior);
    if (samples == 1 && posterior.bits > 0)
      gap += smoothing_gap(batch.own, posterior, batch.part, gap_generator);
    usable += batch.part.whole;
  });
  group_.sum(use.sums());
  group_.sum(std::span(&gap, 1));
  out.active_latents = use.active();
  out.smoothing_gap = gap / static_cast<double>(std::max<std::int64_t>(1, usable));
  group_.sum(values);
  double sum = 0, square = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(usable); ++i) {
    const double value = values[2 * i + 1];
    out.indices.push_back(static_cast<std::uint32_t>(values[2 * i]));
    out.bound.push_back(static_cast<float>(value));
    sum += value, square += value * value;
  }
  const double n = static_cast<double>(std::max<std::size_t>(1, out.bound.size()));
  out.mean = sum / n;
  out.standard_error = std::sqrt(std::max(0.0, square / n - out.mean * out.mean) / n);
  return out;
}

}  // namespace cryoscape::training
