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

/// Both loaders read through one set of open files.
const particles::LoaderOptions& with_reader(particles::LoaderOptions& options) {
  if (!options.reader) options.reader = std::make_shared<io::StackReader>();
  return options;
}

int default_epochs(std::size_t particles) {
  return static_cast<int>(
      std::clamp(kTotalImages / static_cast<double>(std::max<std::size_t>(particles, 1)), 4.0, 60.0));
}

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

Trainer::Trainer(model::HeterogeneityModel& model, const particles::ParticleSet& particles,
                 particles::LoaderOptions loader, structure::RestraintEvaluator& restraints,
                 TrainingOptions options, RunFolder folder, ProcessGroup& group)
    : model_(model),
      particles_(particles),
      group_(group),
      loader_(particles, with_reader(loader), group),
      pass_loader_(particles, loader, group),
      restraints_(restraints),
      options_(std::move(options)),
      folder_(std::move(folder)),
      edges_(options_, particles.size()),
      reduction_(group, model.network_parameters(), restraints, options_.accumulate),
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

void Trainer::start(bool resume) {
  const bool checkpoint = resume && std::filesystem::exists(folder_.file("checkpoint.pt"));
  if (group_.largest(checkpoint) != checkpoint)
    fail("{} is not there for all processes: they must share the run's folder",
         folder_.file("checkpoint.pt").string());
  if (checkpoint) {
    load_checkpoint();
  } else {
    if (resume) spdlog::info("no checkpoint was written yet: training starts from the beginning");
    calibrate();
  }
  // Nobody writes before all have read.
  group_.barrier();
  if (group_.first()) folder_.truncate_steps(progress_.step);
  if (!checkpoint) save_checkpoint();
}

void Trainer::run(bool resume) {
  log_partition_ = model_.prior().log_partition().value;
  start(resume);
  spdlog::info("training: {} particles, {} held out, {} epochs of {} steps", training_.size(),
               held_out_.size(), epochs_, steps_per_epoch_);
  while (progress_.epoch < epochs_) run_epoch();
  save_checkpoint();
}

void Trainer::run_epoch() {
  make_equal();
  auto order = particles::shuffled_order(training_, options_.seed, progress_.epoch, kShuffleBlock);
  order.erase(order.begin(), order.begin() + progress_.offset);
  cryoscape::Progress bar(fmt::format("epoch {}/{}", progress_.epoch + 1, epochs_), order.size(), "images");
  SharedBatch batch;
  start_reading(loader_, std::move(order));
  auto start = std::chrono::steady_clock::now();
  while (next_batch(loader_, batch)) {
    if (batch.part.whole > 0) train_step(batch);
    progress_.offset += batch.consumed;
    const auto now = std::chrono::steady_clock::now();
    seconds_training_ += std::chrono::duration<double>(now - start).count();
    images_timed_ += batch.part.whole;
    start = now;
    bar.advance(batch.part.whole, fmt::format("bound {:.2f}", last_terms_.bound));
    // Together with others, a signal counts once all know of it.
    const int signal = group_.alone() ? pending_interrupt() : batch.interrupt;
    if (signal && progress_.offset < static_cast<std::int64_t>(training_.size())) stop_early(signal);
  }
  ++progress_.epoch;
  progress_.offset = 0;
  finish_epoch();
  if (const auto signal = group_.largest(pending_interrupt())) stop_early(static_cast<int>(signal));
}

void Trainer::start_reading(SharedLoader& loader, std::vector<std::uint32_t> order) {
  try {
    loader.start(std::move(order));
  } catch (const Error& error) {
    stop_reading(error);
  }
}

bool Trainer::next_batch(SharedLoader& loader, SharedBatch& batch) {
  try {
    if (!loader.next(batch)) return false;
    batch.own = model::on_device(std::move(batch.own), model_.device());
    return true;
  } catch (const PeerLost&) {
    throw;
  } catch (const Error& error) {
    // Only an epoch's own loader stands between two steps: a pass may come in the midst of a change of state.
    if (&loader == &loader_ && progress_.offset > 0) keep_steps();
    stop_reading(error);
  }
}

/// Calls body(batch) for the particles in this order.
template <class Body>
void Trainer::for_batches(SharedLoader& loader, std::vector<std::uint32_t> order, Body&& body) {
  start_reading(loader, std::move(order));
  for (SharedBatch batch; next_batch(loader, batch);)
    if (batch.part.whole > 0) body(batch);
}

/// Writes the checkpoint before an error ends the run. It may fail for the same reason: the older one then
/// stays.
void Trainer::keep_steps() {
  try {
    save_checkpoint();
  } catch (const std::exception& error) {
    spdlog::warn("warning: {}", error.what());
  }
}

void Trainer::stop_reading(const Error& error) const {
  if (!std::filesystem::exists(folder_.file("checkpoint.pt"))) throw;
  fail("{}; then --resume goes on from the checkpoint", error.what());
}

/// All processes take the same steps from the same sums; this keeps them together where their processors
/// round differently.
void Trainer::make_equal() {
  if (group_.alone()) return;
  torch::NoGradGuard no_grad;
  for (auto& p : model_.parameters()) group_.broadcast(p);
  for (auto& b : model_.buffers()) group_.broadcast(b);
}

void Trainer::stop_early(int signal) {
  save_checkpoint();
  throw Interrupted(signal,
                    fmt::format("interrupted in epoch {}; the checkpoint is written, --resume goes on",
                                progress_.epoch + 1));
}

void Trainer::train_step(const SharedBatch& batch) {
  if (!warm_up_finished_ && fraction_done() >= options_.warm_up) finish_warm_up();
  const ObjectiveSettings settings{kl_weight(), restraint_schedule(), log_partition_,
                                   options_.importance_samples};
  const auto evaluation =
      reduction_.step(batch, generator_, [&](const particles::Batch& rows, const latent::BatchPart& part) {
        return evaluate_objective(model_, rows, settings, restraint_term(), generator_, part);
      });
  if (!std::isfinite(evaluation.terms.loss.item<double>()))
    fail("training diverged at step {} (the loss is not finite): lower --learning-rate, now {}",
         progress_.step, options_.learning_rate);
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
    model_.spectral().update(evaluation.sums, static_cast<double>(batch.part.whole),
                             std::min(kSpectralMemory, static_cast<double>(training_.size())));
  ++progress_.step;
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
  } catch (const Interrupted& e) {
    stop_early(e.signal);
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

void Trainer::log_step() {
  if (group_.first()) folder_.append_step(step_record());
}

void Trainer::finish_epoch() {
  auto record = step_record();
  const auto bound = held_out_bound();
  if (!bound.bound.empty())
    record["held_out_bound"] = bound.mean, record["held_out_error"] = bound.standard_error;
  if (warm_up_finished_) edges_.judge(bound.bound);
  record["prior"] = model_.prior().diagnostics();
  log_partition_ = record["prior"]["log_partition"];
  if (group_.first()) folder_.append_step(record);
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

torch::Tensor Trainer::bounds_of(const SharedBatch& batch, int samples, double log_partition,
                                 torch::Generator& generator) {
  const auto& prior = model_.prior();
  const auto posterior = model_.encode(batch.own);
  std::vector<torch::Tensor> drawn;
  for (int k = 0; k < samples; ++k) {
    const auto sample = prior.draw_hard(posterior, generator, batch.part);
    const auto score = model_.score(model_.decode(sample.hard), batch.own, false).log_likelihood;
    const auto log_ratio = samples > 1
                               ? -prior.energy(sample.hard) - latent::log_density(posterior, sample.hard)
                               : latent::entropy(posterior) - prior.cross_entropy(posterior, sample);
    drawn.push_back(score + log_ratio - log_partition);
  }
  return torch::logsumexp(torch::stack(drawn), 0) - std::log(static_cast<double>(samples));
}

HeldOutBound Trainer::held_out_bound(int samples) {
  torch::NoGradGuard no_grad;
  HeldOutBound out;
  if (held_out_.empty()) return out;
  auto generator =
      torch::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(options_.seed) + 77);
  const double log_partition = model_.prior().log_partition().value;
  std::int64_t usable = 0;
  std::vector<double> values(2 * held_out_.size());  // particle and bound of those usable
  for_batches(pass_loader_, held_out_, [&](const SharedBatch& batch) {
    const auto bound = bounds_of(batch, samples, log_partition, generator).to(torch::kCPU).contiguous();
    for (std::int64_t i = 0; i < bound.size(0); ++i) {
      const auto at = static_cast<std::size_t>(2 * (usable + batch.part.first + i));
      values[at] = static_cast<double>(batch.own.indices.data_ptr<std::int64_t>()[i]);
      values[at + 1] = bound.data_ptr<float>()[i];
    }
    usable += batch.part.whole;
  });
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
