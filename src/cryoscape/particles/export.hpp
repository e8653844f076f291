#pragma once
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cryoscape/particles/particle_set.hpp"

namespace cryoscape::particles {

/// A column to add to, or replace in, an exported particle table; `value(i)` is the text for particle i of
/// the set.
struct ExtraColumn {
  std::string label;
  std::function<std::string(std::size_t)> value;
};

/// Writes the set's particles as a RELION STAR file with extra columns. From STAR: every table, column and
/// value of the source as it was, rows of particles outside the set left out. From .cs: RELION 3.1 with
/// poses, CTF, optics groups and image names that RELION reads (000001@p.mrc:mrcs). Streams the source again;
/// memory does not grow with it. Beside and renamed.
void write_particles_star(const std::filesystem::path& path, const ParticleSet& set,
                          const std::vector<ExtraColumn>& extra);

/// The particles at these places (ascending) of a set.
ParticleSet chosen_of(const ParticleSet& set, std::span<const std::size_t> chosen);

/// Writes the set's rows of its .cs source with every field, uid included, as it was. Throws Error for a set
/// that was read from a STAR file. Beside and renamed.
void write_particles_cs(const std::filesystem::path& path, const ParticleSet& set);

}  // namespace cryoscape::particles
