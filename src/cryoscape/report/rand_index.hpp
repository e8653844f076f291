#pragma once
#include <span>

namespace cryoscape::report {

/// Adjusted Rand index of two labellings of the same items (Hubert and Arabie, J. Classification 2, 193,
/// 1985): 1 for the same partition, 0 expected for independent ones. Labels are any integers. Two partitions
/// without any choice (everything in one part, or everything alone, in both) agree: 1. Throws
/// std::invalid_argument for different lengths.
double adjusted_rand_index(std::span<const int> a, std::span<const int> b);

}  // namespace cryoscape::report
