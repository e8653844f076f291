#include "cryoscape/training/run_latents.hpp"

#include <spdlog/spdlog.h>

#include "cryoscape/util/error.hpp"

namespace cryoscape::training {
namespace fs = std::filesystem;

io::FloatMatrix read_latents(const Run& run, const std::string& name) {
  const auto path = run.folder.file(name);
  if (!fs::exists(path))
    fail("{} does not exist: training has not finished (cryoscape train --resume goes on)", path.string());
  auto latents = io::read_npy_matrix(path);
  if (latents.rows != run.data.particles.size())
    fail("{} has {} rows, but the run has {} particles: train again", path.string(), latents.rows,
         run.data.particles.size());
  if (latents.columns != static_cast<std::size_t>(run.model->latent_dim()))
    fail("{} has {} columns, but the model's latents have {} dimensions", path.string(), latents.columns,
         run.model->latent_dim());
  return latents;
}

std::string best_latents(const fs::path& folder) {
  const auto encoded = folder / "latents.npy", refined = folder / "refined_mean.npy";
  // Training removes refined latents, but a folder may have been put together by hand.
  const bool take_refined = fs::exists(encoded) && fs::exists(refined) &&
                            fs::last_write_time(refined) >= fs::last_write_time(encoded);
  return take_refined ? "refined_mean.npy" : "latents.npy";
}

std::string best_latents(const Run& run) {
  auto name = best_latents(run.folder.path());
  if (name == "refined_mean.npy") spdlog::info("latents: refined_mean.npy, of cryoscape refine");
  return name;
}

}  // namespace cryoscape::training
