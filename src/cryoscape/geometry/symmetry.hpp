#pragma once
#include <string>
#include <vector>

#include "cryoscape/geometry/rotation.hpp"

namespace cryoscape::geometry {

/// Rotations R of a point group, the identity first: a map of that symmetry has ρ(R·x) = ρ(x). Symbols as in
/// RELION, in any case: C1 … C99 and D2 … D99 (n-fold axis along z, a two-fold one of D along x), T
/// (three-fold along z), O (four-fold along z), I or I2 (two-fold axes along x, y and z, five-fold in the
/// plane y = 0), I1 (that turned by 90° about y), I3 and I4 (a five-fold axis along z). Throws Error for
/// anything else.
std::vector<Mat3> point_group(const std::string& symbol);

}  // namespace cryoscape::geometry
