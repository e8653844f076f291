#pragma once
#include <span>
#include <vector>

#include "cryoscape/geometry/rotation.hpp"

namespace cryoscape::geometry {

/// x → rotation·x + translation.
struct Rigid {
  Mat3 rotation{1, 0, 0, 0, 1, 0, 0, 0, 1};
  Vec3 translation{};
};

/// Proper rigid motion that takes `moving` onto `target` with the least squares error (Kabsch 1976, through
/// the SVD). Both (N, 3), N ≥ 1, same order. Where the points leave the rotation open (one point, points on a
/// line) it turns no more than it must.
Rigid superpose(std::span<const float> moving, std::span<const float> target);

/// Root mean square distance after superposition, per point.
double superposed_rmsd(std::span<const float> a, std::span<const float> b);

/// Root mean square distance as the points stand.
double rmsd(std::span<const float> a, std::span<const float> b);

/// The points (N, 3) after the motion.
std::vector<float> transformed(const Rigid& motion, std::span<const float> points);

}  // namespace cryoscape::geometry
