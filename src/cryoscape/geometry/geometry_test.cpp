#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/geometry/superposition.hpp"

using namespace cryoscape;
using namespace cryoscape::geometry;

namespace {

void expect_near(const Mat3& a, const Mat3& b, double tolerance = 1e-12) {
  for (int i = 0; i < 9; ++i) EXPECT_NEAR(a[i], b[i], tolerance) << "element " << i;
}

const Mat3 kIdentity{1, 0, 0, 0, 1, 0, 0, 0, 1};

std::vector<float> random_points(Philox& random, int n) {
  std::vector<float> x(3 * n);
  for (auto& v : x) v = static_cast<float>(10 * random.normal());
  return x;
}

}  // namespace

TEST(RotationFromEuler, IsTheProductOfThreeAxisRotations) {
  // R_z(−psi) R_y(−tilt) R_z(−rot) in the right-handed sense.
  Philox random(1);
  for (int i = 0; i < 20; ++i) {
    const double rot = 6 * random.uniform(), tilt = 3 * random.uniform(), psi = 6 * random.uniform();
    const auto expected =
        multiply(rotation_from_axis_angle({0, 0, -psi}),
                 multiply(rotation_from_axis_angle({0, -tilt, 0}), rotation_from_axis_angle({0, 0, -rot})));
    expect_near(rotation_from_euler(rot, tilt, psi), expected);
  }
}

TEST(RotationFromEuler, OfRightAnglesByHand) {
  // RELION's Euler_angles2matrix with rot = tilt = psi = 90 degrees: ca = cb = cg = 0, sa = sb = sg = 1.
  const double right = std::numbers::pi / 2;
  expect_near(rotation_from_euler(right, right, right), {-1, 0, 0, 0, 0, 1, 0, 1, 0});
}

TEST(RotationFromEuler, TiltNinetyLooksAlongX) {
  const auto p = rotated(rotation_from_euler(0, std::numbers::pi / 2, 0), {1, 0, 0});
  EXPECT_NEAR(p[2], 1, 1e-12);
}

TEST(EulerFromRotation, RoundTripsAlsoAtThePoles) {
  Philox random(2);
  for (int i = 0; i < 50; ++i) {
    auto r = random_rotation(random);
    if (i % 5 == 3) r = rotation_from_euler(1.0 + i, 0, 0.3);
    if (i % 5 == 4) r = rotation_from_euler(1.0 + i, std::numbers::pi, 0.3);
    const auto e = euler_from_rotation(r);
    expect_near(rotation_from_euler(e[0], e[1], e[2]), r, 1e-8);
  }
}

TEST(RandomRotation, IsProper) {
  Philox random(3);
  for (int i = 0; i < 20; ++i) {
    const auto r = random_rotation(random);
    expect_near(multiply(r, transpose(r)), kIdentity);
    EXPECT_NEAR(determinant(r), 1, 1e-12);
  }
}

TEST(RotationFromAxisAngle, FixesItsAxisAndTurnsByItsLength) {
  Philox random(4);
  for (double angle : {1e-6, 0.1, 3.0}) {
    const Vec3 axis = rotated(random_rotation(random), {0, 0, 1});
    const auto r = rotation_from_axis_angle({angle * axis[0], angle * axis[1], angle * axis[2]});
    const auto fixed = rotated(r, axis);
    for (int k = 0; k < 3; ++k) EXPECT_NEAR(fixed[k], axis[k], 1e-12);
    EXPECT_NEAR((r[0] + r[4] + r[8] - 1) / 2, std::cos(angle), 1e-12);
  }
}

TEST(RotationFromAxisAngle, IsTheMatrixExponential) {
  for (const Vec3 w : {Vec3{0.3, -0.2, 0.5}, Vec3{2, 1, -1.5}, Vec3{1e-5, 2e-5, 0}, Vec3{0, 0, 0}}) {
    const Mat3 generator{0, -w[2], w[1], w[2], 0, -w[0], -w[1], w[0], 0};
    Mat3 sum = kIdentity, term = kIdentity;
    for (int n = 1; n < 60; ++n) {
      term = multiply(term, generator);
      for (int i = 0; i < 9; ++i) term[i] /= n, sum[i] += term[i];
    }
    expect_near(rotation_from_axis_angle(w), sum);
  }
}

TEST(Superpose, RecoversAPlantedMotion) {
  Philox random(5);
  const auto x = random_points(random, 30);
  Rigid planted{random_rotation(random), {1, -2, 3}};
  const auto y = transformed(planted, x);
  const auto found = superpose(x, y);
  expect_near(found.rotation, planted.rotation, 1e-5);
  EXPECT_LT(superposed_rmsd(x, y), 2e-3);
  EXPECT_LT(rmsd(transformed(found, x), y), 1e-4);
}

TEST(Superpose, NeverReflects) {
  Philox random(6);
  const auto x = random_points(random, 20);
  auto mirrored = x;
  for (std::size_t i = 0; i < x.size(); i += 3) mirrored[i] = -x[i];
  const auto motion = superpose(x, mirrored);
  EXPECT_NEAR(determinant(motion.rotation), 1, 1e-9);
  EXPECT_NEAR(superposed_rmsd(x, mirrored), rmsd(transformed(motion, x), mirrored), 1e-4);
  EXPECT_GT(superposed_rmsd(x, mirrored), 1);
}

TEST(Superpose, TurnsNoMoreThanItMust) {
  // Points on the x axis, then on the y axis: the least turn is by 90 degrees about z, and leaves z alone.
  const std::vector<float> along_x{-1, 0, 0, 0, 0, 0, 3, 0, 0}, along_y{0, -1, 0, 0, 0, 0, 0, 3, 0};
  expect_near(superpose(along_x, along_y).rotation, {0, -1, 0, 1, 0, 0, 0, 0, 1}, 1e-6);
  expect_near(superpose(along_x, along_x).rotation, kIdentity, 1e-6);
  const std::vector<float> here{1, 2, 3}, there{4, 5, 6};
  const auto motion = superpose(here, there);
  expect_near(motion.rotation, kIdentity);
  EXPECT_NEAR(motion.translation[0], 3, 1e-9);
}
