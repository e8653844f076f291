#pragma once
#include <cstdint>
#include <vector>

#include "cryoscape/particles/particle_set.hpp"

namespace cryoscape::density {

/// Half-sets for two half-maps: the file's; by particle name where it has none, or where all particles are in
/// one, with a note that says so. Throws Error if there are too few particles for two.
void divide_half_sets(particles::ParticleSet& set);

/// Particles of either half-set, in the set's order.
std::vector<std::uint32_t> members(const particles::ParticleSet& set);

}  // namespace cryoscape::density
