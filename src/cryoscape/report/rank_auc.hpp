#pragma once
#include <optional>
#include <span>
#include <vector>

namespace cryoscape::report {

/// Area under the ROC curve of a score that should be higher for marked items: the probability that a marked
/// one scores above an unmarked one, ties counting one half (Mann and Whitney 1947). Nothing without both
/// kinds. Scores must be finite. Throws std::invalid_argument for different lengths.
std::optional<double> rank_auc(std::span<const double> scores, const std::vector<bool>& marked);

}  // namespace cryoscape::report
