#include "cryoscape/training/trainer.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

#include "cryoscape/model/device_batch.hpp"
#include "cryoscape/training/prior_start.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/progress.hpp"

namespace cryoscape::training {
namespace {

constexpr std::int64_t kLogEvery = 20;    ///< steps between records
constexpr double kSpectralMemory = 5000;  ///< images over which gain and noise are averaged
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
      device_restraints_(
          model.scores_with_tensors()
              ? std::optional<DeviceRestraints>(std::in_place, restraints.topology(), model.device())
              : std::nullopt),
      options_(std::move(options)),
      folder_(std::move(folder)),
      edges_(options_, particles.size()),
      reduction_(group, model.network_parameters(), restraint_term(), options_.accumulate),
      optimiser_(model.network_parameters(), {}),
      prior_trainer_(model.prior()),
      generator_(torch::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(options_.seed) + 1)) {
  const double share = particles.particles.size() < 40 ? 0.0 : options_.held_out;
  for (std::uint32_t i = 0; i < particles.particles.size(); ++i) {
    const double u =
        static_cast<double>(name_hash(particles::image_name(particles, i), options_.seed) >> 11) * 0x1p-53;
    (u < share ? held_out_ : training_).push_back(i);
  }
  epochs_ = options_.epochs > 0 ? options_.epochs : default_epochs(training_.size());
  steps_per_epoch_ = static_cast<std::int64_t>((training_.size() + options_.batch - 1) / options_.batch);
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
  prior_partition_ = partition_ = model_.prior().log_partition();
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

void Trainer::for_batches(SharedLoader& loader, std::vector<std::uint32_t> order,
                          const std::function<void(const SharedBatch&)>& body) {
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
  const ObjectiveSettings settings{kl_weight(),
                                   restraint_schedule(),
                                   partition_.value,
                                   options_.importance_samples,
                                   options_.energy_in_prior,
                                   prior_partition_.value};
  const auto evaluation =
      reduction_.step(batch, generator_, [&](const particles::Batch& rows, const latent::BatchPart& part) {
        return evaluate_objective(model_, rows, settings, restraint_term(), generator_, part);
      });
  if (!std::isfinite(evaluation.terms.loss.item<double>()))
    fail("training diverged at step {} (the loss is not finite): lower --learning-rate, now {}",
         progress_.step, options_.learning_rate);
  optimiser_.step(learning_rate());
  prior_trainer_.step(evaluation.posterior, evaluation.sample, generator_, evaluation.draws,
                      evaluation.draw_weights);
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
  const auto means = torch::tensor(latents.mean).view(shape),
             deviations = torch::tensor(latents.standard_deviation).view(shape);
  torch::Tensor motions;
  if (options_.prior_init != "random")
    motions = participation(
        model_, means, deviations,
        starting_motions(options_.prior_init, restraints_.topology(), model_.prior().motions()));
  model_.prior().after_warm_up(means, deviations, generator_, motions);
  prior_partition_ = model_.prior().log_partition();
  partition_ = with_restraints(prior_partition_);
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

/// A likelihood needs log Z: none is reported where it is not known to half a nat.
void Trainer::finish_epoch() {
  auto record = step_record();
  auto& prior = record["prior"] = model_.prior().diagnostics();
  prior_partition_ = latent::partition_of(prior);
  partition_ = with_restraints(prior_partition_);
  latent::record_partition(partition_, prior);
  const auto bound = held_out_bound();
  if (!bound.bound.empty()) {
    if (bound.reliable)
      record["held_out_bound"] = bound.mean, record["held_out_error"] = bound.standard_error;
    record["latents"] = {{"active", bound.active_latents}, {"of", model_.latent_dim()}};
    if (model_.prior().bits() > 0) record["latents"]["smoothing_gap"] = bound.smoothing_gap;
  }
  if (warm_up_finished_) {
    edges_.judge(bound.bound);
    warn_of_prior(prior, bound);
  }
  if (group_.first()) folder_.append_step(record);
  const auto held_out = record.contains("held_out_bound") ? fmt::format(" held out {:.3f},", bound.mean) : "";
  spdlog::info("epoch {:3d}/{}: bound {:.3f},{} KL {:.3f}, restraint {:.3f}, chi2 {:.4f}, {:.0f} images/s",
               progress_.epoch, epochs_, last_terms_.bound, held_out, last_terms_.kl, last_terms_.restraint,
               last_terms_.chi_square, images_timed_ / std::max(seconds_training_, 1e-9));
  save_checkpoint();
}

/// Each once, and again only after another one.
void Trainer::warn_of_prior(const nlohmann::json& prior, const HeldOutBound& bound) {
  std::string warning = prior.value("warning", "");
  constexpr double kSettled = 0.5;  // of training: before, latents may still come to life
  if (warning.empty() && fraction_done() >= kSettled && !bound.bound.empty() && bound.active_latents == 0)
    warning = "no latent tells particles apart: lower --beta, raise --epochs, or choose another --prior";
  if (!warning.empty() && warning != last_warning_ && group_.first()) spdlog::warn("warning: {}", warning);
  last_warning_ = warning;
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

}  // namespace cryoscape::training
