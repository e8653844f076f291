#pragma once
#include <optional>
#include <string>

#include "cryoscape/util/options.hpp"

namespace cryoscape::landscape {

/// How states are found and written; every field is an option of `landscape`.
struct LandscapeOptions {
  std::string clustering = "mixture";
  int states = 0;
  std::string criterion = "bic";
  int max_states = 10;
  double barrier = 1;  ///< kT: what warmth crosses without notice parts no states
  std::string variable = "pc1";
  int table_particles = 20000;
  std::string nodes = "decoder";
  std::string density = "trained";
  std::string embedding = "umap";
  std::optional<std::string> half_run;  ///< folder of the other half-set's run
  std::string format = "cif";

  void declare(OptionSet& set);
};

}  // namespace cryoscape::landscape
