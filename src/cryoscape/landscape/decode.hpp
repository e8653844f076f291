#pragma once
#include <filesystem>
#include <optional>

#include "cryoscape/training/run.hpp"

namespace cryoscape::landscape {

/// What is decoded: the rows of an NPY file (M, d), or nothing given, the posterior means of all particles.
struct DecodeRequest {
  std::optional<std::filesystem::path> latents;
  std::filesystem::path out;  ///< .npy: (M, N, 3) float32; .cif or .pdb: one model per row, at most 1,000
  bool force = false;         ///< overwrite
};

/// Decodes conformations into a file, in order and in the model file's frame. Rows that are not finite
/// (particles without latents) are NaN in .npy, and an Error in model files. .npy is written batch by batch.
/// Throws Error for latents of another dimension, too many models, and existing output; UsageError for an
/// unknown extension. Returns the number of conformations.
std::size_t decode_to_file(training::Run& run, const DecodeRequest& request);

}  // namespace cryoscape::landscape
