#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "cryoscape/optics/ctf.hpp"
#include "cryoscape/simulation/particle_draw.hpp"
#include "cryoscape/simulation/scene.hpp"

namespace cryoscape::simulation {

/// Where a data set's files stand.
struct OutputPaths {
  explicit OutputPaths(const std::filesystem::path& folder);
  std::filesystem::path stack, star, truth, maps;
};

/// Throws Error if a file that would be written exists, unless `force`.
void check_output(const OutputPaths& paths, bool with_maps, bool force);

/// "000001@particles.mrcs" of particle `index` (0-based).
std::string image_name(std::size_t index);

/// Writes particles.star (RELION 3.1: data_optics and data_particles).
void write_star(const std::filesystem::path& path, const optics::OpticsGroup& group,
                const std::vector<ParticleDraw>& particles);

/// Writes the density of every model, model_001.mrc …, on the particles' grid: Gaussian beads in electrons
/// per voxel, the box's centre at coordinate 0.
void write_truth_maps(const std::filesystem::path& folder, const Scene& scene,
                      const projection::ProjectionSpec& spec);

}  // namespace cryoscape::simulation
