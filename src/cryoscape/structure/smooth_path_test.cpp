#include "cryoscape/structure/smooth_path.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/io/atomic_model.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/random.hpp"
#include "cryoscape/util/test_data.hpp"

using namespace cryoscape;
using namespace cryoscape::structure;

namespace {

constexpr int kPoints = 7;

/// Models of a polynomial path of the given degree, at m = 1 … count.
std::vector<std::vector<float>> polynomial_models(int count, int degree) {
  Philox random(5);
  std::vector<double> c(3 * kPoints * (degree + 1));
  for (auto& v : c) v = random.normal();
  std::vector<std::vector<float>> models;
  for (int m = 0; m < count; ++m) {
    const double t = count > 1 ? static_cast<double>(m) / (count - 1) : 0;
    std::vector<float> x(3 * kPoints);
    for (std::size_t i = 0; i < x.size(); ++i) {
      double sum = 0;
      for (int d = degree; d >= 0; --d) sum = sum * t + 10 * c[i * (degree + 1) + d];
      x[i] = static_cast<float>(sum);
    }
    models.push_back(x);
  }
  return models;
}

double rms(std::span<const float> v) {
  double sum = 0;
  for (const float x : v) sum += double{x} * x;
  return std::sqrt(3 * sum / static_cast<double>(v.size()));
}

}  // namespace

TEST(SmoothPath, ReproducesPolynomialsUpToDegreeFive) {
  for (const int count : {6, 7, 40}) {
    const auto models = polynomial_models(count, 5);
    const SmoothPath path(models);
    for (int m = 0; m < count; ++m) EXPECT_LT(geometry::rmsd(models[m], path.at_model(m + 1)), 1e-4);
  }
}

TEST(SmoothPath, FewModelsAreInterpolated) {
  for (const int count : {1, 2, 3, 5}) {
    const auto models = polynomial_models(count, 5);
    const SmoothPath path(models);
    for (int m = 0; m < count; ++m) EXPECT_LT(geometry::rmsd(models[m], path.at_model(m + 1)), 1e-4);
  }
}

TEST(SmoothPath, TwoModelsMakeAStraightLineOfTheirDistance) {
  const auto models = polynomial_models(2, 1);
  const SmoothPath path(models);
  EXPECT_NEAR(path.length(), geometry::rmsd(models[0], models[1]), 1e-4);
  EXPECT_NEAR(path.position_of_model(1.3), 0.3, 1e-9);
}

TEST(SmoothPath, ASingleModelHasNoLength) {
  const SmoothPath path(polynomial_models(1, 1));
  EXPECT_EQ(path.length(), 0);
  EXPECT_EQ(path.position_of_model(1), 0);
  for (const float x : path.tangent(0)) EXPECT_EQ(x, 0);
}

TEST(SmoothPath, ArcLengthIsTheLimitOfChords) {
  const SmoothPath path(polynomial_models(30, 5));
  double sum = 0;
  auto last = path.at_model(1);
  for (int i = 1; i <= 4000; ++i) {
    const auto next = path.at_model(1 + 29.0 * i / 4000);
    sum += geometry::rmsd(last, next);
    last = next;
  }
  EXPECT_NEAR(path.length(), sum, 1e-3 * sum);
}

TEST(SmoothPath, PositionsAndModelsAreInverse) {
  const SmoothPath path(polynomial_models(30, 5));
  for (int i = 0; i <= 50; ++i) EXPECT_NEAR(path.position_of_model(path.model_at(i / 50.0)), i / 50.0, 1e-9);
}

TEST(SmoothPath, TangentIsTheDerivativeAndHasTheLengthOfThePath) {
  const SmoothPath path(polynomial_models(30, 4));
  for (const double s : {0.1, 0.45, 0.8}) {
    constexpr double kStep = 5e-3;
    const auto tangent = path.tangent(s), a = path.at(s - kStep), b = path.at(s + kStep);
    EXPECT_NEAR(rms(tangent), path.length(), 1e-4 * path.length());
    std::vector<float> difference(a.size());
    for (std::size_t i = 0; i < a.size(); ++i)
      difference[i] = static_cast<float>((b[i] - a[i]) / (2 * kStep));
    EXPECT_LT(geometry::rmsd(tangent, difference), 0.02 * path.length());
  }
}

TEST(SmoothPath, NearestFindsPointsOfThePathInAnyFrame) {
  const SmoothPath path(polynomial_models(30, 3));
  Philox random(3);
  for (const double s : {0.0, 0.31, 0.777, 1.0}) {
    const auto point = path.at(s);
    EXPECT_NEAR(path.nearest(point, false).s, s, 2e-3);
    const geometry::Rigid motion{geometry::random_rotation(random), {3, -8, 5}};
    const auto found = path.nearest(geometry::transformed(motion, point));
    EXPECT_NEAR(found.s, s, 2e-3);
    EXPECT_LT(found.rmsd, 0.02);
  }
}

TEST(SmoothPath, NearestIsTheSuperposedDistanceOfThatPoint) {
  const SmoothPath path(polynomial_models(30, 5));
  Philox random(8);
  for (int i = 0; i < 5; ++i) {
    auto x = path.at(random.uniform());
    for (auto& v : x) v += static_cast<float>(random.normal());
    const auto found = path.nearest(x);
    EXPECT_NEAR(found.rmsd, geometry::superposed_rmsd(x, path.at(found.s)), 1e-4);
    for (int k = 0; k <= 200; ++k)
      EXPECT_GT(geometry::superposed_rmsd(x, path.at(k / 200.0)), found.rmsd - 1e-3);
  }
}

TEST(SmoothPath, RefusesModelsThatDiffer) {
  auto models = polynomial_models(3, 2);
  models[1].resize(9);
  EXPECT_THROW(SmoothPath{models}, Error);
  EXPECT_THROW(SmoothPath{{}}, Error);
}

TEST(SmoothPath, AgreesWithTheSharedPathOfAdenylateKinase) {
  const auto folder = test_data();
  if (!folder) GTEST_SKIP() << "shared data not found: set CRYOSCAPE_TEST_DATA";
  std::vector<std::vector<float>> raw, smooth;
  for (const auto& m : io::read_models(*folder / "adk/adk_path_ca.pdb")) raw.push_back(io::positions_of(m));
  for (const auto& m : io::read_models(*folder / "adk/adk_path_smooth_ca.pdb"))
    smooth.push_back(io::positions_of(m));
  const SmoothPath path(raw);
  EXPECT_NEAR(path.length(), 9.96, 0.01);
  for (std::size_t k = 0; k < smooth.size(); ++k)
    EXPECT_LT(
        geometry::rmsd(path.at(static_cast<double>(k) / static_cast<double>(smooth.size() - 1)), smooth[k]),
        0.01)
        << k;
}
