#pragma once
#include <string_view>
#include <unordered_map>

#include "cryoscape/particles/particle_set.hpp"

/// The formats behind read_particles.
namespace cryoscape::particles {

/// Collects stack names as they appear, each once.
class StackIndex {
 public:
  explicit StackIndex(ParticleSet& set) : set_(set) {}
  std::uint32_t add(std::string_view name);

 private:
  ParticleSet& set_;
  std::unordered_map<std::string, std::uint32_t> index_;
};

/// Metadata only: poses, CTF, optics, image names. Stacks are not looked for.
ParticleSet read_relion(const std::filesystem::path& path);
ParticleSet read_cryosparc(const std::filesystem::path& path);

/// Finds every stack: in `dir`, the file's folder, its parents, the working folder; the first that holds the first stack becomes the
/// base. Takes box and pixel size from the stacks where optics groups lack them, checks slices and sizes.
void locate_stacks(ParticleSet& set, const ReadOptions& options);

/// Keeps the particles of a subset file and half-set.
void select_particles(ParticleSet& set, const ReadOptions& options);

}  // namespace cryoscape::particles
