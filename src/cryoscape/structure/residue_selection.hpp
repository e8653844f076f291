#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cryoscape/structure/beads.hpp"

namespace cryoscape::structure {

/// Beads (ascending) that a selection names: `A:30-59` (residues 30 to 59 of chain A), `A:30`, `A:` (a whole
/// chain), `30-59` (of every chain), joined by `+`. Numbers are the author's, and may be negative. Throws
/// Error for text that is no selection and for a part that no bead belongs to.
std::vector<std::uint32_t> select_residues(const BeadModel& beads, const std::string& selection);

}  // namespace cryoscape::structure
