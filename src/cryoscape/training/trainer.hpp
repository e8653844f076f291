#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "cryoscape/latent/prior_trainer.hpp"
#include "cryoscape/model/heterogeneity_model.hpp"
#include "cryoscape/particles/particle_set.hpp"
#include "cryoscape/structure/restraints.hpp"
#include "cryoscape/training/adamw.hpp"
#include "cryoscape/training/objective.hpp"
#include "cryoscape/training/options.hpp"
#include "cryoscape/training/restrained_prior.hpp"
#include "cryoscape/training/restraint_schedule.hpp"
#include "cryoscape/training/run_folder.hpp"
#include "cryoscape/training/shared_loader.hpp"
#include "cryoscape/training/step_reduction.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::training {

/// Latents of particles, row by row in the order asked for.
struct Latents {
  std::int64_t dim = 0;
  std::vector<float> mean,
      standard_deviation;  ///< (rows, dim); for bits: probability and its standard deviation
};

/// Held-out bounds: one value per held-out particle, nats, β = 1, hard bits, noise and gain frozen,
/// restraints excluded.
struct HeldOutBound {
  std::vector<std::uint32_t> indices;
  std::vector<float> bound;
  double mean = 0, standard_error = 0;
  bool reliable = true;      ///< whether log Z is known well enough for the values to mean something
  int active_latents = 0;    ///< as LatentUse counts them
  double smoothing_gap = 0;  ///< mean bound with smoothed bits minus that with hard bits, one sample each
};

/// Trains a model on particles, on the model's device: calibration of noise and gain at the reference, then
/// epochs of gradient steps. On the CPU deterministic for a seed and thread count; a resumed run continues
/// bit for bit. Several processes share every batch and every pass and hold the same model; only the first
/// writes files. Their number changes results by no more than rounding.
class Trainer {
 public:
  /// Neighbours on disk that stay together in an epoch's order.
  static constexpr int kShuffleBlock = 256;

  /// The options' batch is that of all processes together.
  Trainer(model::HeterogeneityModel& model, const particles::ParticleSet& particles,
          particles::LoaderOptions loader, structure::RestraintEvaluator& restraints, TrainingOptions options,
          RunFolder folder, ProcessGroup& group = lone_process());

  /// Runs to the end. `resume` continues from the folder's checkpoint. On SIGINT or SIGTERM: finishes the
  /// step, writes the checkpoint and throws Interrupted, on all processes if one got the signal. Images that
  /// cannot be read are an Error that says so and how to go on; steps done until then are in the checkpoint.
  void run(bool resume);

  /// Posterior means and standard deviations of particles, in the order given; NaN for unusable ones.
  /// A pass of all processes, as is held_out_bound().
  Latents encode(std::span<const std::uint32_t> particles);
  /// With several `samples` per particle the importance-weighted bound, which is tighter and costs as many
  /// scores.
  HeldOutBound held_out_bound(int samples = 1);
  /// Draws (count, d) of the prior, with the restraints where they are part of it.
  torch::Tensor sample_prior(std::int64_t count);

  void save_checkpoint();
  void load_checkpoint();
  int epochs() const { return epochs_; }

 private:
  struct Position {
    std::int64_t step = 0;    ///< steps done
    int epoch = 0;            ///< epochs done
    std::int64_t offset = 0;  ///< particles of the current epoch's order that were used
  };
  void start(bool resume);
  void calibrate();
  void run_epoch();
  void start_reading(SharedLoader& loader, std::vector<std::uint32_t> order);
  bool next_batch(SharedLoader& loader, SharedBatch& batch);
  /// Calls body(batch) for the particles in this order.
  void for_batches(SharedLoader& loader, std::vector<std::uint32_t> order,
                   const std::function<void(const SharedBatch&)>& body);
  void keep_steps();
  [[noreturn]] void stop_reading(const Error& error) const;
  void make_equal();
  [[noreturn]] void stop_early(int signal);
  torch::Tensor bounds_of(const particles::Batch& batch, const latent::Posterior& posterior,
                          const latent::BatchPart& part, int samples, torch::Generator& generator);
  PosteriorDraws posterior_draws(torch::Generator& generator);
  latent::LogPartition with_restraints(latent::LogPartition partition);
  double smoothing_gap(const particles::Batch& batch, const latent::Posterior& posterior,
                       const latent::BatchPart& part, torch::Generator& generator);
  void train_step(const SharedBatch& batch);
  nlohmann::json step_record() const;
  void log_step();
  void finish_warm_up();
  void finish_epoch();
  void warn_of_prior(const nlohmann::json& prior, const HeldOutBound& bound);
  RestraintTerm restraint_term();
  double fraction_done() const;
  double learning_rate() const;
  double kl_weight() const;
  RestraintSchedule restraint_schedule() const;

  model::HeterogeneityModel& model_;
  const particles::ParticleSet& particles_;
  ProcessGroup& group_;
  SharedLoader loader_, pass_loader_;  ///< for training epochs; for passes in between
  structure::RestraintEvaluator& restraints_;
  std::optional<DeviceRestraints>
      device_restraints_;  ///< in place of restraints_ where the model scores with tensors
  TrainingOptions options_;
  RunFolder folder_;
  std::vector<std::uint32_t> training_, held_out_;
  int epochs_ = 0;
  std::int64_t steps_per_epoch_ = 0;
  Position progress_;
  EdgeRelaxation edges_;
  bool warm_up_finished_ = false;
  StepReduction reduction_;
  AdamW optimiser_;
  latent::PriorTrainer prior_trainer_;
  torch::Generator generator_;
  Terms last_terms_;
  std::string last_warning_;
  latent::LogPartition prior_partition_;  ///< the prior's, as of the last epoch's end
  latent::LogPartition partition_;        ///< the same with the restraints, where they are part of it
  double seconds_training_ = 0;
  std::int64_t images_timed_ = 0;
};

/// Saves and loads what decoding and scoring need: networks, prior, spectral model.
void save_model(torch::serialize::OutputArchive& archive, model::HeterogeneityModel& model);
void load_model(torch::serialize::InputArchive& archive, model::HeterogeneityModel& model);
/// Loads them from a checkpoint file. Throws Error if it is missing, damaged or of another model.
void load_model_file(const std::filesystem::path& checkpoint, model::HeterogeneityModel& model);

}  // namespace cryoscape::training
