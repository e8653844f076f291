#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "cryoscape/training/dataset.hpp"
#include "cryoscape/training/run_folder.hpp"
#include "cryoscape/training/trainer.hpp"

namespace cryoscape::training {

/// Everything that `train` was told.
struct RunSettings {
  InputOptions input;
  model::ModelOptions model;
  TrainingOptions training;
  void declare(OptionSet& set);
};

/// A trained run, opened again.
struct Run {
  RunFolder folder;
  RunSettings settings;
  Dataset data;
  std::unique_ptr<model::HeterogeneityModel> model;
};

/// What the folder records beside the options.
void write_config(const RunFolder& folder, const RunSettings& settings, const Grid& grid,
                  const std::string& command_line, int processes = 1);

/// Settings and grid from a run's config.toml.
struct RunConfig {
  RunSettings settings;
  Grid grid;
};
RunConfig read_config(const RunFolder& folder);

/// Opens a run: its data (metadata only) and, from the checkpoint, its model.
Run open_run(const std::filesystem::path& path);

/// Trains a run from settings into a folder, or goes on with it: then of `settings` only the cache's folder
/// counts. Writes config.toml, train.jsonl, checkpoint.pt, latents.npy, latent_std.npy,
/// prior_samples.npy and held_out.npy.
/// Called by all processes of a group, which share the work and the folder; the first one writes. Throws
/// UsageError if there are more of them than particles or than particles in a batch, and Error before it
/// touches the results of an earlier run if there is too little memory.
void train_run(const RunSettings& settings, const std::filesystem::path& out, bool resume, bool force,
               const std::string& command_line, ProcessGroup& group = lone_process());

/// The restraints that a run is trained with.
structure::RestraintTopology restraints_of(const Dataset& data, const TrainingOptions& options);

/// Decodes latents (M, d) of a file or a posterior into centred coordinates (M, N, 3), in batches.
std::vector<float> decode_latents(model::HeterogeneityModel& model, std::span<const float> latents);

}  // namespace cryoscape::training
