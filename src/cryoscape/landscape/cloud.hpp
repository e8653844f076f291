#pragma once
#include <string>
#include <vector>

#include "cryoscape/landscape/conformations.hpp"
#include "cryoscape/landscape/mixture.hpp"
#include "cryoscape/landscape/structure_space.hpp"

namespace cryoscape::landscape {

/// Particles in the space of their structures: column i of `points` belongs to particle `particles[i]`.
struct Cloud {
  std::vector<std::size_t> particles;
  Points points;  ///< (k, M) Å
};

/// Decodes all usable conformations and places them in structure space; `label` names the progress.
Cloud embed(const Conformations& conformations, const StructureSpace& space, const std::string& label);

}  // namespace cryoscape::landscape
