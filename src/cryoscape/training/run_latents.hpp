#pragma once
#include <filesystem>
#include <string>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/training/run.hpp"

namespace cryoscape::training {

/// One of a run's arrays (particles, d): "latents.npy", "latent_std.npy" or "refined_mean.npy". Throws Error
/// if the file is missing or has not the run's particles and latents.
io::FloatMatrix read_latents(const Run& run, const std::string& name);

/// The file that later commands take particles' posterior means from: refined_mean.npy, and the log says so,
/// where it is not older than the encoder's latents.npy; else that.
std::string best_latents(const Run& run);
/// The same for a run's folder, without a word in the log.
std::string best_latents(const std::filesystem::path& folder);

}  // namespace cryoscape::training
