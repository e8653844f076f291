#pragma once
#include <optional>
#include <string>

#include "cryoscape/util/options.hpp"

namespace cryoscape::density {

/// What is reconstructed and how; every field but `particles` is an option of `density`.
struct DensityOptions {
  std::string particles;  ///< positional
  std::optional<std::string> dir, subset;
  int box = 0;          ///< pixels; 0: the images' own
  double diameter = 0;  ///< Å; 0: nine tenths of the box
  bool invert = false;
  std::string symmetry = "C1";
  std::optional<std::string> mask, check;
  std::optional<std::string> b_factor;  ///< a number or "auto"
  bool local = false;                   ///< also a map filtered by local resolution
  double memory_limit = 0;              ///< GB; 0: what the process may use

  void declare(OptionSet& set);
};

}  // namespace cryoscape::density
