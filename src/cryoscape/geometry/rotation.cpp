#include "cryoscape/geometry/rotation.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cryoscape::geometry {

Mat3 multiply(const Mat3& a, const Mat3& b) {
  Mat3 c{};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 3; ++k) c[3 * i + j] += a[3 * i + k] * b[3 * k + j];
  return c;
}

Mat3 transpose(const Mat3& a) { return {a[0], a[3], a[6], a[1], a[4], a[7], a[2], a[5], a[8]}; }

Vec3 rotated(const Mat3& a, const Vec3& x) {
  return {a[0] * x[0] + a[1] * x[1] + a[2] * x[2], a[3] * x[0] + a[4] * x[1] + a[5] * x[2],
          a[6] * x[0] + a[7] * x[1] + a[8] * x[2]};
}

double determinant(const Mat3& a) {
  return a[0] * (a[4] * a[8] - a[5] * a[7]) - a[1] * (a[3] * a[8] - a[5] * a[6]) +
         a[2] * (a[3] * a[7] - a[4] * a[6]);
}

Mat3 rotation_from_euler(double rot, double tilt, double psi) {
  const double ca = std::cos(rot), sa = std::sin(rot), cb = std::cos(tilt), sb = std::sin(tilt),
               cg = std::cos(psi), sg = std::sin(psi);
  return {cg * cb * ca - sg * sa,
          cg * cb * sa + sg * ca,
          -cg * sb,
          -sg * cb * ca - cg * sa,
          -sg * cb * sa + cg * ca,
          sg * sb,
          sb * ca,
          sb * sa,
          cb};
}

Vec3 euler_from_rotation(const Mat3& a) {
  const double sine = std::hypot(a[6], a[7]);
  if (sine > 1e-9) return {std::atan2(a[7], a[6]), std::atan2(sine, a[8]), std::atan2(a[5], -a[2])};
  // Only rot + psi (tilt 0) or rot − psi (tilt π) is defined.
  if (a[8] > 0) return {std::atan2(a[1], a[0]), 0, 0};
  return {std::atan2(-a[1], -a[0]), std::numbers::pi, 0};
}

Mat3 rotation_from_axis_angle(const Vec3& w) {
  const double angle = std::sqrt(w[0] * w[0] + w[1] * w[1] + w[2] * w[2]);
  // sin(x)/x and (1 − cos x)/x², by series near 0.
  const double s = angle < 1e-4 ? 1 - angle * angle / 6 : std::sin(angle) / angle;
  const double c = angle < 1e-4 ? 0.5 - angle * angle / 24 : (1 - std::cos(angle)) / (angle * angle);
  const double d = std::cos(angle);
  return {d + c * w[0] * w[0],        c * w[0] * w[1] - s * w[2], c * w[0] * w[2] + s * w[1],
          c * w[0] * w[1] + s * w[2], d + c * w[1] * w[1],        c * w[1] * w[2] - s * w[0],
          c * w[0] * w[2] - s * w[1], c * w[1] * w[2] + s * w[0], d + c * w[2] * w[2]};
}

Mat3 random_rotation(Philox& random) {
  const double u = random.uniform(), a = 2 * std::numbers::pi * random.uniform(),
               b = 2 * std::numbers::pi * random.uniform();
  const double r = std::sqrt(1 - u), s = std::sqrt(u);
  const double x = r * std::sin(a), y = r * std::cos(a), z = s * std::sin(b), w = s * std::cos(b);
  return {1 - 2 * (y * y + z * z), 2 * (x * y - z * w),     2 * (x * z + y * w),
          2 * (x * y + z * w),     1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
          2 * (x * z - y * w),     2 * (y * z + x * w),     1 - 2 * (x * x + y * y)};
}

}  // namespace cryoscape::geometry
