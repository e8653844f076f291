#include "cryoscape/simulation/demo_protein.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/structure/smooth_path.hpp"

using namespace cryoscape;
using namespace cryoscape::simulation;

namespace {

const DemoProtein& protein() {
  static const DemoProtein instance = make_demo_protein();
  return instance;
}

std::vector<float> model(int number) { return io::positions_of(protein().path.at(number - 1)); }

double distance(const std::vector<float>& x, std::size_t i, std::size_t j) {
  return std::hypot(x[3 * i] - x[3 * j], x[3 * i + 1] - x[3 * j + 1], x[3 * i + 2] - x[3 * j + 2]);
}

/// Whether residues i … i+4 are a right-handed α helix by their distances and the sign of their triple
/// product.
bool helical(const std::vector<float>& x, std::size_t i) {
  const auto d = [&](std::size_t k, int c) { return x[3 * (k + 1) + c] - x[3 * k + c]; };
  const double triple = d(i, 0) * (d(i + 1, 1) * d(i + 2, 2) - d(i + 1, 2) * d(i + 2, 1)) -
                        d(i, 1) * (d(i + 1, 0) * d(i + 2, 2) - d(i + 1, 2) * d(i + 2, 0)) +
                        d(i, 2) * (d(i + 1, 0) * d(i + 2, 1) - d(i + 1, 1) * d(i + 2, 0));
  return triple > 0 && std::abs(distance(x, i, i + 3) - 5.0) < 0.2 &&
         std::abs(distance(x, i, i + 4) - 6.2) < 0.2;
}

double state_rmsd(int a, int b) {
  const auto& s = protein().states;
  return geometry::superposed_rmsd(model(s[a].model), model(s[b].model));
}

}  // namespace

TEST(DemoProtein, NeighboursAlongTheChainAreOneBondApart) {
  for (int m = 1; m <= static_cast<int>(protein().path.size()); ++m) {
    const auto x = model(m);
    for (std::size_t i = 0; i + 1 < x.size() / 3; ++i)
      ASSERT_NEAR(distance(x, i, i + 1), 3.8, 0.02) << "model " << m << ", residue " << i + 1;
  }
}

TEST(DemoProtein, VirtualBondAnglesAreThoseOfProteins) {
  for (int m = 1; m <= static_cast<int>(protein().path.size()); ++m) {
    const auto x = model(m);
    for (std::size_t i = 0; i + 2 < x.size() / 3; ++i) {
      ASSERT_GE(distance(x, i, i + 2), 4.95) << "model " << m << ", residue " << i + 1;
      ASSERT_LE(distance(x, i, i + 2), 7.25) << "model " << m << ", residue " << i + 1;
    }
  }
}

TEST(DemoProtein, NothingClashes) {
  for (int m = 1; m <= static_cast<int>(protein().path.size()); ++m) {
    const auto x = model(m);
    for (std::size_t i = 0; i < x.size() / 3; ++i)
      for (std::size_t j = i + 3; j < x.size() / 3; ++j)
        ASSERT_GE(distance(x, i, j), 4.0) << "model " << m << ", residues " << i + 1 << " and " << j + 1;
  }
}

TEST(DemoProtein, MostResiduesAreInRightHandedHelices) {
  const auto x = model(protein().states[0].model);
  const std::size_t n = x.size() / 3;
  EXPECT_GE(n, 180u);
  EXPECT_LE(n, 220u);
  std::size_t count = 0;
  for (std::size_t i = 0; i + 4 < n; ++i) count += helical(x, i);
  EXPECT_GT(count, n / 2);
}

TEST(DemoProtein, StatesLieApartAndTheIntermediateOffTheStraightLine) {
  // Order: open, closed, intermediate.
  EXPECT_GT(state_rmsd(0, 1), 6);
  EXPECT_LT(state_rmsd(0, 1), 8);
  EXPECT_GT(state_rmsd(0, 2), 3);
  EXPECT_GT(state_rmsd(1, 2), 3);
  const auto open = model(protein().states[0].model), closed = model(protein().states[1].model);
  std::vector<float> half(open.size());
  for (std::size_t i = 0; i < half.size(); ++i) half[i] = (open[i] + closed[i]) / 2;
  EXPECT_GT(geometry::superposed_rmsd(half, model(protein().states[2].model)), 1.5);
}

TEST(DemoProtein, DomainsMoveAsRigidBodies) {
  const auto open = model(protein().states[0].model), closed = model(protein().states[1].model);
  const std::size_t n = open.size() / 3, domain = 90;
  const auto part = [](const std::vector<float>& x, std::size_t begin, std::size_t end) {
    return std::span(x).subspan(3 * begin, 3 * (end - begin));
  };
  EXPECT_LT(geometry::superposed_rmsd(part(open, 0, domain), part(closed, 0, domain)), 1e-3);
  EXPECT_LT(geometry::superposed_rmsd(part(open, n - domain, n), part(closed, n - domain, n)), 1e-3);
}

TEST(DemoProtein, TheMotionIsSmooth) {
  std::vector<std::vector<float>> models;
  for (const auto& m : protein().path) models.push_back(io::positions_of(m));
  const structure::SmoothPath path(models);
  for (std::size_t m = 0; m < models.size(); ++m)
    EXPECT_LT(geometry::rmsd(models[m], path.at_model(static_cast<double>(m) + 1)), 0.05)
        << "model " << m + 1;
  for (std::size_t m = 0; m + 1 < models.size(); ++m)
    EXPECT_LT(geometry::rmsd(models[m], models[m + 1]), 0.5);
}

TEST(DemoProtein, IsCompactAndCentred) {
  const auto x = model(31);
  double centroid[3] = {}, square = 0;
  const std::size_t n = x.size() / 3;
  for (std::size_t i = 0; i < x.size(); ++i)
    centroid[i % 3] += x[i] / static_cast<double>(n), square += x[i] * x[i] / static_cast<double>(n);
  for (const double c : centroid) EXPECT_NEAR(c, 0, 1e-3);
  // Radius of gyration of a globular protein: 2.2 N^0.38 (Skolnick, Kolinski, Ortiz 1997); two open domains
  // are somewhat larger.
  const double globular = 2.2 * std::pow(static_cast<double>(n), 0.38);
  EXPECT_GT(std::sqrt(square), 0.9 * globular);
  EXPECT_LT(std::sqrt(square), 1.4 * globular);
}

TEST(DemoProtein, PopulationsSumToOne) {
  double sum = 0;
  for (const auto& s : protein().states) sum += s.population;
  EXPECT_NEAR(sum, 1, 1e-12);
}

TEST(DemoProtein, IsTheSameEveryTime) {
  const auto again = make_demo_protein();
  ASSERT_EQ(again.path.size(), protein().path.size());
  for (std::size_t m = 0; m < again.path.size(); ++m)
    EXPECT_EQ(io::positions_of(again.path[m]), model(static_cast<int>(m) + 1));
}
