#pragma once
#include <filesystem>
#include <string>

#include "cryoscape/report/run_arrays.hpp"
#include "cryoscape/report/run_figures.hpp"
#include "cryoscape/report/run_record.hpp"

namespace cryoscape::report {

/// A page up to its header's end: title, style sheet, and the program's name with `version`, where there is
/// one.
std::string page_head(const std::string& title, const std::string& version = "");

/// A run's page: one HTML file that needs no other, no network and no scripts, with SVG plots that stand
/// alone. What the run does not hold yet is left out, and the page says which command makes it.
std::string page_html(const RunRecord& record, const RunArrays& arrays, const RunFigures& figures);

/// Reads a run's folder and writes report.html and figures/ into it. Lines of train.jsonl that cannot be read
/// are left out with a warning. Throws Error when the folder is no run, and for a damaged file.
void write_report(const std::filesystem::path& run_folder);

}  // namespace cryoscape::report
