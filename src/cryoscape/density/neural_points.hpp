#pragma once
#include <span>
#include <vector>

#include "cryoscape/util/random.hpp"

namespace cryoscape::density {

/// Random points (count, 3) in voxels from the centre of a map (D, D, D): most of them where it has density
/// (above a tenth of its maximum, in proportion to what is above), the others uniform in a ball of `radius`
/// voxels, to which all are confined; all of them uniform if there is no density.
std::vector<float> draw_points(int box, std::span<const float> map, double radius, int count, Philox& random);

}  // namespace cryoscape::density
