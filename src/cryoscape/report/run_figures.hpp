#pragma once
#include <array>
#include <filesystem>
#include <vector>

#include "cryoscape/report/figures.hpp"

namespace cryoscape::report {

/// A run's figures by the sections of its page; what the run does not hold yet is left out.
struct RunFigures {
  std::vector<Figure> states, conformations, energy, maps, outliers, training, latents;

  /// All of them, in the order of the page.
  std::vector<const Figure*> all() const;
};

/// Draws a run's figures.
RunFigures run_figures(const RunRecord& record, const RunArrays& arrays);

/// Writes each figure to RUN/figures/NAME.svg, and removes those that an earlier state of the run had: of
/// other files in the folder none is touched. Throws Error where the disk does.
void write_figures(const RunFigures& figures, const std::filesystem::path& run_folder);

}  // namespace cryoscape::report
