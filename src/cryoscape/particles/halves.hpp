#pragma once
#include "cryoscape/particles/particle_set.hpp"

namespace cryoscape::particles {

/// Half-sets by particle name, the same on every machine, where no particle has one, with a note that says
/// so; a note about particles without one where others have.
void complete_halves(ParticleSet& set);

}  // namespace cryoscape::particles
