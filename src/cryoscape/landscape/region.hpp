#pragma once
#include <string>
#include <vector>

#include "cryoscape/landscape/particle_table.hpp"

namespace cryoscape::landscape {

/// Which particles a condition on a table's columns holds for, for example
///   U < 2 and (state = 1 or -5 <= pc1 <= 3)
/// Comparisons (<, <=, >, >=, =, !=) of names and numbers, chained as in mathematics; `and` binds closer than
/// `or`; parentheses. A comparison with an unusable particle's value does not hold. Throws UsageError that
/// says where the text is wrong, or that a name is unknown and which are known.
std::vector<bool> particles_in_region(const std::string& condition, const ParticleTable& table);

}  // namespace cryoscape::landscape
