#include "cryoscape/landscape/structure_space.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kBeads = 40;

std::vector<float> random_structure(Philox& random, double spread) {
  std::vector<float> x(3 * kBeads);
  for (float& value : x) value = static_cast<float>(spread * random.normal());
  return x;
}

/// A displacement (3N) of r.m.s. 1 Å that holds no translation or rotation to first order: the second half
/// moves against the first along the line between them.
std::vector<float> breathing(const std::vector<float>& reference) {
  std::vector<float> u(reference.size());
  double square = 0;
  for (std::size_t i = 0; i < u.size(); ++i) u[i] = reference[i], square += double(u[i]) * u[i];
  for (float& value : u) value *= static_cast<float>(std::sqrt(kBeads / square));
  return u;
}

std::vector<float> centred_reference(Philox& random) {
  auto x = random_structure(random, 10);
  for (std::size_t k = 0; k < 3; ++k) {
    double mean = 0;
    for (std::size_t n = 0; n < kBeads; ++n) mean += x[3 * n + k] / kBeads;
    for (std::size_t n = 0; n < kBeads; ++n) x[3 * n + k] -= static_cast<float>(mean);
  }
  return x;
}

/// Structures reference + s_m·u in random frames, with the amplitudes s.
std::vector<float> planted(const std::vector<float>& reference, const std::vector<float>& u,
                           std::size_t count, std::vector<double>& amplitude, Philox& random) {
  std::vector<float> out;
  for (std::size_t m = 0; m < count; ++m) {
    amplitude.push_back(2 * random.normal());
    std::vector<float> x(reference.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      x[i] = reference[i] + static_cast<float>(amplitude.back()) * u[i];
    const geometry::Rigid motion{geometry::random_rotation(random),
                                 {random.normal(), 5, -3 * random.normal()}};
    const auto moved = geometry::transformed(motion, x);
    out.insert(out.end(), moved.begin(), moved.end());
  }
  return out;
}

TEST(StructureSpace, FindsAPlantedMotionInWhateverFrames) {
  Philox random(1);
  const auto reference = centred_reference(random);
  const auto u = breathing(reference);
  std::vector<double> amplitude;
  const auto structures = planted(reference, u, 400, amplitude, random);
  const auto space = fit_structure_space(structures, reference);
  ASSERT_EQ(space.size(), 1u);
  EXPECT_NEAR(space.standard_deviation[0], 2, 0.25);
  EXPECT_GT(space.share[0], 0.999);
  double along = 0;
  for (std::size_t i = 0; i < u.size(); ++i) along += space.axes(static_cast<Eigen::Index>(i), 0) * u[i];
  EXPECT_NEAR(std::abs(along) / std::sqrt(kBeads), 1, 1e-3);
  const auto c = project(space, structures);
  double mean = 0, sign = along > 0 ? 1 : -1;
  for (const double a : amplitude) mean += a / 400;
  for (std::size_t m = 0; m < 400; ++m) EXPECT_NEAR(c[m], sign * (amplitude[m] - mean), 0.02);
}

TEST(StructureSpace, DistanceIsRootMeanSquareDisplacement) {
  Philox random(2);
  const auto reference = centred_reference(random);
  std::vector<std::vector<float>> directions;
  for (int k = 0; k < 3; ++k) directions.push_back(random_structure(random, 1));
  std::vector<float> structures;
  for (int m = 0; m < 300; ++m) {
    auto x = reference;
    for (const auto& u : directions) {
      const auto s = static_cast<float>(0.3 * random.normal());
      for (std::size_t j = 0; j < x.size(); ++j) x[j] += s * u[j];
    }
    structures.insert(structures.end(), x.begin(), x.end());
  }
  const auto space = fit_structure_space(structures, reference);
  ASSERT_EQ(space.size(), 3u);
  EXPECT_NEAR((space.axes.transpose() * space.axes - Eigen::MatrixXf::Identity(3, 3)).norm(), 0, 1e-4);
  const auto c = project(space, structures);
  const std::span<const float> all(structures);
  for (std::size_t m = 0; m + 1 < 40; ++m) {
    double square = 0;
    for (std::size_t k = 0; k < 3; ++k) square += std::pow(c[3 * m + k] - c[3 * (m + 1) + k], 2);
    const double rmsd = geometry::superposed_rmsd(all.subspan(m * 3 * kBeads, 3 * kBeads),
                                                  all.subspan((m + 1) * 3 * kBeads, 3 * kBeads));
    EXPECT_NEAR(std::sqrt(square), rmsd, 0.03 * rmsd + 1e-3);
  }
}

TEST(StructureSpace, RigidMotionAloneIsNothing) {
  Philox random(3);
  const auto reference = centred_reference(random);
  std::vector<double> amplitude;
  const std::vector<float> still(reference.size(), 0.0f);
  const auto structures = planted(reference, still, 50, amplitude, random);
  const auto space = fit_structure_space(structures, reference);
  ASSERT_EQ(space.size(), 1u);  // one component always remains
  EXPECT_LT(space.standard_deviation[0], 1e-3);
  EXPECT_LT(geometry::rmsd(space.mean, reference), 1e-3);
}

TEST(StructureSpace, OneStructureHasOneComponentWithoutVariance) {
  Philox random(4);
  const auto reference = centred_reference(random);
  const auto space = fit_structure_space(reference, reference);
  ASSERT_EQ(space.size(), 1u);
  EXPECT_NEAR(space.standard_deviation[0], 0, 1e-4);
  EXPECT_NEAR(project(space, reference)[0], 0, 1e-3);
}

}  // namespace
}  // namespace cryoscape::landscape
