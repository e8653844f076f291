#pragma once
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "cryoscape/report/comparison.hpp"

namespace cryoscape::report {

/// {"runs": […]}: one object per run; what is not known is null, never NaN. Bounds as paired differences to
/// the first run stand beside each run's own.
nlohmann::json comparison_json(std::span<const RunScores> runs);

/// The same for people: one table of all runs, a run a column, then the states of each.
std::string comparison_text(std::span<const RunScores> runs);

/// The same as a web page that needs no other.
std::string comparison_html(std::span<const RunScores> runs);

}  // namespace cryoscape::report
