#include "cryoscape/particles/particle_set.hpp"

#include <fmt/format.h>

#include "cryoscape/particles/readers.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::particles {

std::uint32_t StackIndex::add(std::string_view name) {
  const auto [at, inserted] = index_.try_emplace(std::string(name), static_cast<std::uint32_t>(set_.stack_names.size()));
  if (inserted) set_.stack_names.emplace_back(name);
  return at->second;
}

std::string image_name(const ParticleSet& set, std::size_t i) {
  const auto& p = set.particles[i];
  return fmt::format("{:06}@{}", p.slice + 1, set.stack_names[p.stack]);
}

ParticleSet read_particles(const std::filesystem::path& path, const ReadOptions& options) {
  if (!std::filesystem::is_regular_file(path)) fail("cannot open the particles {}: no such file", path.string());
  const auto extension = path.extension().string();
  if (extension != ".star" && extension != ".cs") fail("{} is neither a .star nor a .cs file", path.string());
  auto set = extension == ".star" ? read_relion(path) : read_cryosparc(path);
  set.source = path;
  if (set.size() == 0) fail("{} holds no particles", path.string());
  select_particles(set, options);
  locate_stacks(set, options);
  return set;
}

}  // namespace cryoscape::particles
