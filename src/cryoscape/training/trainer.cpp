#include "cryoscape/training/trainer.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>
#include <unordered_map>

#include "cryoscape/model/device_batch.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/progress.hpp"

namespace cryoscape::training {
namespace {

constexpr std::int64_t kLogEvery = 20;  ///< steps between records
constexpr std::size_t kCalibrationImages = 2000;
constexpr double kSpectralMemory = 5000;  ///< images over which gain and noise are averaged
constexpr int kShuffleBlock = 256;        ///< neighbours on disk that stay together in an epoch's order
constexpr double kTotalImages = 600000;   ///< default length of a training

/// FNV-1a of a particle's name: splits follow particles, not rows, so repeated particles stay on one side.
std::uint64_t name_hash(const std::string& name, std::uint64_t seed) {
  std::uint64_t hash = 1469598103934665603ull ^ (seed * 0x9E3779B97F4A7C15ull);
  for (const unsigned char c : name) hash = (hash ^ c) * 1099511628211ull;
  return hash ^ (hash >> 29);
}

int default_epochs(std::size_t particles) {
  return static_cast<int>(
      std::clamp(kTotalImages / static_cast<double>(std::max<std::size_t>(particles, 1)), 4.0, 60.0));
}

}  // namespace

Trainer::Trainer(model::HeterogeneityModel& model, const particles::ParticleSet& particles,
                 particles::LoaderOptions loader, structure::RestraintEvaluator& restraints,
                 TrainingOptions options, RunFolder folder)
    : model_(model),
      particles_(particles),
      loader_(particles, loader),
      pass_loader_(particles, loader),
      restraints_(restraints),
      options_(std::move(options)),
      folder_(std::move(folder)),
      edges_(options_, particles.size()),
      optimiser_(model.network_parameters(), {}),
      prior_optimiser_(model.prior().make_optimiser()),
      generator_(torch::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(options_.seed) + 1)) {
  const double share = particles.particles.size() < 40 ? 0.0 : options_.held_out;
  for (std::uint32_t i = 0; i < particles.particles.size(); ++i) {
    const double u =
        static_cast<double>(name_hash(particles::image_name(particles, i), options_.seed) >> 11) * 0x1p-53;
    (u < share ? held_out_ : training_).push_back(i);
  }
  if (model_.scores_with_tensors()) device_restraints_.emplace(restraints_.topology(), model_.device());
  epochs_ = options_.epochs > 0 ? options_.epochs : default_epochs(training_.size());
  steps_per_epoch_ = static_cast<std::int64_t>((training_.size() + options_.batch - 1) / options_.batch);
}

void Trainer::calibrate() {
  auto order = particles::shuffled_order(training_, options_.seed, 1000003, kShuffleBlock);
  order.resize(std::min(order.size(), kCalibrationImages));
  torch::NoGradGuard no_grad;
  const auto memory = static_cast<double>(order.size());
  for (const bool contrast_free : {false, true, true}) {
    loader_.start(order);
    particles::Batch batch;
    std::vector<model::SpectralSums> total(model_.spectral().groups() * model_.spectral().shells());
    const auto reference = model_.decode(torch::zeros({1, model_.latent_dim()}, model_.device()));
    while (loader_.next(batch)) {
      if (batch.size() == 0) continue;
      batch = model::on_device(std::move(batch), model_.device());
      const auto coordinates = reference.expand({batch.indices.size(0), -1, -1}).contiguous();
      const auto scores = model_.score(coordinates, batch, true,
                                       contrast_free ? model::Score::training : model::Score::fixed_contrast);
      for (std::size_t i = 0; i < total.size(); ++i) total[i] += scores.sums[i];
      throw_if_interrupted();
    }
    model_.spectral().forget();
    model_.spectral().update(total, memory, memory);
  }
}

void Trainer::run(bool resume) {
  log_partition_ = model_.prior().log_partition().value;
  if (resume && std::filesystem::exists(folder_.file("checkpoint.pt"))) {
    load_checkpoint();
    folder_.truncate_steps(progress_.step);
  } else {
    if (resume) spdlog::info("no checkpoint was written yet: training starts from the beginning");
    folder_.truncate_steps(0);
    calibrate();
    save_checkpoint();
  }
  spdlog::info("training: {} particles, {} held out, {} epochs of {} steps", training_.size(),
               held_out_.size(), epochs_, steps_per_epoch_);
  while (progress_.epoch < epochs_) run_epoch();
  save_checkpoint();
}

void Trainer::run_epoch() {
  auto order = particles::shuffled_order(training_, options_.seed, progress_.epoch, kShuffleBlock);
  order.erase(order.begin(), order.begin() + progress_.offset);
  loader_.start(order);
  cryoscape::Progress bar(fmt::format("epoch {}/{}", progress_.epoch + 1, epochs_), order.size(), "images");
  particles::Batch batch;
  auto start = std::chrono::steady_clock::now();
  while (loader_.next(batch)) {
    if (batch.size() > 0) train_step(model::on_device(batch, model_.device()));
    const auto now = std::chrono::steady_clock::now();
    seconds_training_ += std::chrono::duration<double>(now - start).count();
    images_timed_ += batch.indices.size(0);
    start = now;
    bar.advance(batch.indices.size(0), fmt::format("bound {:.2f}", last_terms_.bound));
    if (pending_interrupt() && progress_.offset < static_cast<std::int64_t>(training_.size())) stop_early();
  }
  ++progress_.epoch;
  progress_.offset = 0;
  finish_epoch();
  if (pending_interrupt()) stop_early();
}

void Trainer::stop_early() {
  save_checkpoint();
  throw Interrupted(pending_interrupt(),
                    fmt::format("interrupted in epoch {}; the checkpoint is written, --resume goes on",
                                progress_.epoch + 1));
}

void Trainer::train_step(const particles::Batch& batch) {
  if (!warm_up_finished_ && fraction_done() >= options_.warm_up) finish_warm_up();
  auto evaluation = evaluate_objective(model_, batch, kl_weight(), restraint_term(), restraint_schedule(),
                                       log_partition_, generator_);
  if (!std::isfinite(evaluation.terms.loss.item<double>()))
    fail("training diverged at step {} (the loss is not finite): lower --learning-rate, now {}",
         progress_.step, options_.learning_rate);
  evaluation.terms.loss.backward();
  optimiser_.step(learning_rate());
  if (prior_optimiser_) {
    prior_optimiser_->zero_grad();
    if (const auto contrast = model_.prior().contrast(evaluation.posterior, evaluation.sample, generator_);
        contrast.defined()) {
      contrast.backward();
      prior_optimiser_->step();
    }
  }
  if (!model_.likelihood_options().correlation)
    model_.spectral().update(evaluation.sums, static_cast<double>(batch.indices.size(0)),
                             std::min(kSpectralMemory, static_cast<double>(training_.size())));
  ++progress_.step;
  progress_.offset += batch.consumed;
  edges_.advance(fraction_done());
  last_terms_ = evaluation.terms;
  if (progress_.step % kLogEvery == 0) log_step();
}

void Trainer::finish_warm_up() {
  auto sample = training_;
  sample.resize(std::min<std::size_t>(sample.size(), 20000));
  Latents latents;
  try {
    latents = encode(sample);
  } catch (const Interrupted&) {
    stop_early();
  }
  warm_up_finished_ = true;
  const auto shape = std::vector<std::int64_t>{static_cast<std::int64_t>(sample.size()), latents.dim};
  model_.prior().after_warm_up(torch::tensor(latents.mean).view(shape),
                               torch::tensor(latents.standard_deviation).view(shape), generator_);
  log_partition_ = model_.prior().log_partition().value;
}

nlohmann::json Trainer::step_record() const {
  return {{"step", progress_.step},
          {"epoch", progress_.epoch},
          {"images_per_second", seconds_training_ > 0 ? images_timed_ / seconds_training_ : 0.0},
          {"loss", last_terms_.loss.item<double>()},
          {"log_likelihood", last_terms_.log_likelihood},
          {"kl", last_terms_.kl},
          {"restraint", last_terms_.restraint},
          {"bound", last_terms_.bound},
          {"chi_square", last_terms_.chi_square},
          {"contrast", last_terms_.contrast},
          {"beta", kl_weight()},
          {"learning_rate", learning_rate()},
          {"edge_weight", restraint_schedule().weights.edge}};
}

void Trainer::log_step() { folder_.append_step(step_record()); }

void Trainer::finish_epoch() {
  auto record = step_record();
  const auto bound = held_out_bound();
  if (!bound.bound.empty())
    record["held_out_bound"] = bound.mean, record["held_out_error"] = bound.standard_error;
  if (warm_up_finished_) edges_.judge(bound.bound);
  record["prior"] = model_.prior().diagnostics();
  log_partition_ = record["prior"]["log_partition"];
  folder_.append_step(record);
  const auto held_out = bound.bound.empty() ? std::string() : fmt::format(" held out {:.3f},", bound.mean);
  spdlog::info("epoch {:3d}/{}: bound {:.3f},{} KL {:.3f}, restraint {:.3f}, chi2 {:.4f}, {:.0f} images/s",
               progress_.epoch, epochs_, last_terms_.bound, held_out, last_terms_.kl, last_terms_.restraint,
               last_terms_.chi_square, images_timed_ / std::max(seconds_training_, 1e-9));
  save_checkpoint();
}

double Trainer::fraction_done() const {
  return static_cast<double>(progress_.step) /
         static_cast<double>(std::max<std::int64_t>(1, steps_per_epoch_ * epochs_));
}

double Trainer::learning_rate() const {
  const double ramp = std::min(1.0, static_cast<double>(progress_.step + 1) / 100.0);
  const double t = std::min(1.0, fraction_done());
  return options_.learning_rate * ramp * (0.02 + 0.98 * 0.5 * (1 + std::cos(std::numbers::pi * t)));
}

double Trainer::kl_weight() const {
  return options_.beta * (options_.warm_up > 0 ? std::min(1.0, fraction_done() / options_.warm_up) : 1.0);
}

RestraintTerm Trainer::restraint_term() {
  if (device_restraints_) return *device_restraints_;
  return restraints_;
}

RestraintSchedule Trainer::restraint_schedule() const {
  RestraintSchedule schedule;
  schedule.weights.bond = static_cast<float>(options_.bond_weight);
  schedule.weights.edge = static_cast<float>(edges_.weight());
  schedule.weights.clash = static_cast<float>(options_.clash_weight);
  schedule.drop_fraction = static_cast<float>(options_.edge_drop);
  return schedule;
}

Latents Trainer::encode(std::span<const std::uint32_t> particles) {
  torch::NoGradGuard no_grad;
  Latents out;
  out.dim = model_.latent_dim();
  const auto values = particles.size() * static_cast<std::size_t>(out.dim);
  out.mean.assign(values, std::numeric_limits<float>::quiet_NaN());
  out.standard_deviation = out.mean;
  std::unordered_map<std::uint32_t, std::size_t> row_of;
  for (std::size_t r = 0; r < particles.size(); ++r) row_of[particles[r]] = r;
  pass_loader_.start({particles.begin(), particles.end()});
  particles::Batch batch;
  while (pass_loader_.next(batch)) {
    throw_if_interrupted();
    if (batch.size() == 0) continue;
    const auto posterior = model_.encode(model::on_device(batch, model_.device()));
    const auto mean = model::HeterogeneityModel::point_estimate(posterior).to(torch::kCPU).contiguous();
    const auto deviation =
        (posterior.family == latent::Family::bernoulli ? torch::sqrt(mean * (1 - mean))
                                                       : torch::exp(posterior.log_std).to(torch::kCPU))
            .contiguous();
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      const auto row = row_of.at(static_cast<std::uint32_t>(batch.indices.data_ptr<std::int64_t>()[i]));
      std::copy_n(mean.data_ptr<float>() + i * out.dim, out.dim,
                  out.mean.begin() + static_cast<std::ptrdiff_t>(row * out.dim));
      std::copy_n(deviation.data_ptr<float>() + i * out.dim, out.dim,
                  out.standard_deviation.begin() + static_cast<std::ptrdiff_t>(row * out.dim));
    }
  }
  return out;
}

HeldOutBound Trainer::held_out_bound() {
  torch::NoGradGuard no_grad;
  HeldOutBound out;
  if (held_out_.empty()) return out;
  auto generator =
      torch::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(options_.seed) + 77);
  const double log_partition = model_.prior().log_partition().value;
  pass_loader_.start(held_out_);
  particles::Batch batch;
  double sum = 0, square = 0;
  while (pass_loader_.next(batch)) {
    if (batch.size() == 0) continue;
    batch = model::on_device(std::move(batch), model_.device());
    const auto posterior = model_.encode(batch);
    const auto sample = model_.prior().draw_hard(posterior, generator);
    const auto score = model_.score(model_.decode(sample.smooth), batch, false).log_likelihood;
    const auto kl =
        model_.prior().cross_entropy(posterior, sample) - latent::entropy(posterior) + log_partition;
    const auto bound = (score - kl).to(torch::kCPU).contiguous();
    for (std::int64_t i = 0; i < bound.size(0); ++i) {
      out.indices.push_back(static_cast<std::uint32_t>(batch.indices.data_ptr<std::int64_t>()[i]));
      const double value = bound.data_ptr<float>()[i];
      out.bound.push_back(static_cast<float>(value));
      sum += value, square += value * value;
    }
  }
  const double n = static_cast<double>(std::max<std::size_t>(1, out.bound.size()));
  out.mean = sum / n;
  out.standard_error = std::sqrt(std::max(0.0, square / n - out.mean * out.mean) / n);
  return out;
}

}  // namespace cryoscape::training
