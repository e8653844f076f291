#pragma once
#include <array>
#include <filesystem>
#include <vector>

namespace cryoscape::report {

/// The per-particle arrays of a run's folder, as far as they exist and as far as plots need them: the first
/// two columns of each, and sums over the others. Rows are in the order of the particles; NaN where a
/// particle was unusable.
struct RunArrays {
  std::size_t particles = 0;                  ///< rows; 0 where no array exists
  std::size_t unusable = 0;                   ///< rows of latents.npy that are not finite
  std::array<std::vector<float>, 2> latents;  ///< posterior means, the second empty for one dimension
  std::array<std::vector<float>, 2>
      components;  ///< Å (r.m.s. over beads), the second empty for one component
  std::array<std::vector<float>, 2> embedding;  ///< places in the plane
  std::vector<float>
      evidence;  ///< of a particle at the place, nats: the default outlier score, low for outliers
  std::vector<float> energy;   ///< −ln p(z) of the prior at the posterior mean, to a constant
  std::vector<int> states;     ///< of every particle, 0: none; empty without assignments.npy
  std::vector<double> spread;  ///< standard deviation over particles of each latent's posterior mean
  std::vector<double> width;   ///< r.m.s. over particles of each latent's posterior standard deviation
};

/// Reads latents.npy, latent_std.npy, components.npy, embedding.npy, outliers.npy and assignments.npy, one at
/// a time: memory is one file's size at most, and 36 bytes a particle are kept. Throws Error for a damaged
/// file and for files whose rows do not agree.
RunArrays read_run_arrays(const std::filesystem::path& folder);

}  // namespace cryoscape::report
