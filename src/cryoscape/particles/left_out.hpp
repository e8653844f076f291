#pragma once
#include <cstddef>
#include <cstdint>

#include "cryoscape/particles/particle_set.hpp"

namespace cryoscape::particles {

/// Warns that a particle cannot be used, the `number`th of a pass: by name and row for the first ten.
void warn_left_out(const ParticleSet& set, std::uint32_t particle, std::size_t number);

}  // namespace cryoscape::particles
