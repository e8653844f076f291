#pragma once
#include <string>
#include <vector>

#include "cryoscape/io/atomic_model.hpp"

namespace cryoscape::simulation {

/// A conformation of the demo protein that particles gather around.
struct DemoState {
  std::string name;       ///< "open", "closed", "intermediate"
  int model = 1;          ///< 1-based model of DemoProtein::path
  double population = 0;  ///< share of the particles; all states sum to 1
};

/// The built-in test molecule: two helical domains of about 100 residues each, joined by one linker.
struct DemoProtein {
  std::vector<io::AtomicModel> path;  ///< CA models, from beyond open to beyond closed, centred
  std::vector<DemoState> states;      ///< ordered by population
};

/// Builds the demo protein; the same at every call. Domain 2 turns about a hinge axis at the linker and
/// twists about its own long axis on the way, so the intermediate lies off the straight line
/// between open and closed; every model is superposed on the middle of the path. In every model neighbouring
/// CA are 3.80 ± 0.02 Å apart, helices have 1.5 Å rise, 100° turn and 2.3 Å radius, and no two other CA are
/// nearer than 4 Å.
DemoProtein make_demo_protein();

}  // namespace cryoscape::simulation
