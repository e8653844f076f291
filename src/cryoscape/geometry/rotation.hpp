#pragma once
#include <array>

#include "cryoscape/util/random.hpp"

namespace cryoscape::geometry {

using Vec3 = std::array<double, 3>;
/// Row-major 3×3 matrix.
using Mat3 = std::array<double, 9>;

Mat3 multiply(const Mat3& a, const Mat3& b);
Mat3 transpose(const Mat3& a);
Vec3 rotated(const Mat3& a, const Vec3& x);
double determinant(const Mat3& a);

/// RELION's Euler_angles2matrix (ZYZ, radians): A = R_z(psi)·R_y(tilt)·R_z(rot) in its convention, so that p
/// = A·x and the image is the integral along z of the rotated frame.
Mat3 rotation_from_euler(double rot, double tilt, double psi);
/// Inverse of rotation_from_euler: (rot, tilt, psi) in radians, tilt in [0, π]; psi = 0 where only rot ± psi
/// is defined.
Vec3 euler_from_rotation(const Mat3& a);

/// exp([w]×): rotation by |w| radians about w (Rodrigues). A cryoSPARC pose ω is A = transpose of this.
Mat3 rotation_from_axis_angle(const Vec3& w);

/// Uniformly distributed rotation (Shoemake's quaternions).
Mat3 random_rotation(Philox& random);

}  // namespace cryoscape::geometry
