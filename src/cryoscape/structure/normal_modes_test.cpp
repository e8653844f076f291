#include "cryoscape/structure/normal_modes.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <set>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/util/random.hpp"
#include "cryoscape/util/test_data.hpp"

using namespace cryoscape;
using namespace cryoscape::structure;
using Eigen::MatrixXd;

namespace {

constexpr float kCutoff = 9;

/// Beads on a disordered lattice of 5 Å, side × side × side, at an offset.
void add_globule(RestraintTopology& topology, int side, float x_offset, Philox& random) {
  for (int x = 0; x < side; ++x)
    for (int y = 0; y < side; ++y)
      for (int z = 0; z < side; ++z) {
        for (const int k : {x, y, z})
          topology.reference.push_back(5.0f * static_cast<float>(k) +
                                       0.4f * static_cast<float>(random.normal()));
        topology.reference[topology.reference.size() - 3] += x_offset;
        ++topology.beads;
      }
}

void join_neighbours(RestraintTopology& topology) {
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(topology.beads); ++i)
    for (std::int32_t j = i + 1; j < static_cast<std::int32_t>(topology.beads); ++j) {
      const float* a = &topology.reference[3 * static_cast<std::size_t>(i)];
      const float* b = &topology.reference[3 * static_cast<std::size_t>(j)];
      const float d = std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
      if (d < kCutoff) topology.edges.push_back({i, j, d, 0});
    }
}

RestraintTopology globules(std::initializer_list<float> offsets) {
  Philox random(5);
  RestraintTopology topology;
  for (const float offset : offsets) add_globule(topology, 3, offset, random);
  join_neighbours(topology);
  return topology;
}

MatrixXd columns(const Motions& motions) {
  const auto size = static_cast<Eigen::Index>(motions.directions.size() / motions.count);
  return Eigen::Map<const Eigen::MatrixXf>(motions.directions.data(), size,
                                           static_cast<Eigen::Index>(motions.count))
      .cast<double>();
}

/// ½ Σ (d − d₀)² at a displaced reference.
double energy(const RestraintTopology& topology, const Eigen::VectorXd& displacement) {
  double sum = 0;
  for (const auto& e : topology.edges) {
    Eigen::Vector3d between;
    for (int k = 0; k < 3; ++k)
      between[k] = topology.reference[static_cast<std::size_t>(3 * e.j + k)] + displacement[3 * e.j + k] -
                   topology.reference[static_cast<std::size_t>(3 * e.i + k)] - displacement[3 * e.i + k];
    sum += 0.5 * std::pow(between.norm() - e.distance, 2);
  }
  return sum;
}

/// Second derivatives of the energy, by differences.
MatrixXd numerical_hessian(const RestraintTopology& topology) {
  const auto n = static_cast<Eigen::Index>(3 * topology.beads);
  constexpr double h = 1e-2;
  MatrixXd hessian(n, n);
  const auto at = [&](Eigen::Index i, double a, Eigen::Index j, double b) {
    Eigen::VectorXd x = Eigen::VectorXd::Zero(n);
    x[i] += a, x[j] += b;
    return energy(topology, x);
  };
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j <= i; ++j)
      hessian(i, j) = hessian(j, i) =
          (at(i, h, j, h) - at(i, h, j, -h) - at(i, -h, j, h) + at(i, -h, j, -h)) / (4 * h * h);
  return hessian;
}

}  // namespace

TEST(NormalModes, AreTheSoftestEigenvectorsOfTheEnergysSecondDerivatives) {
  const auto topology = globules({0});
  const auto motions = normal_modes(topology, 5);
  ASSERT_EQ(motions.count, 5u);
  const MatrixXd hessian = numerical_hessian(topology), u = columns(motions);
  const Eigen::SelfAdjointEigenSolver<MatrixXd> dense(hessian);
  for (Eigen::Index k = 0; k < 5; ++k) {
    EXPECT_NEAR(motions.stiffness[static_cast<std::size_t>(k)], dense.eigenvalues()[6 + k], 2e-3);
    EXPECT_LT((hessian * u.col(k) - dense.eigenvalues()[6 + k] * u.col(k)).norm(), 0.01);
  }
  EXPECT_LT((u.transpose() * u - MatrixXd::Identity(5, 5)).norm(), 1e-5);
}

TEST(NormalModes, PartsThatNothingJoinsMoveFreelyAndTheWholeNot) {
  const auto topology = globules({0, 40});
  const auto motions = normal_modes(topology, 8);
  const MatrixXd u = columns(motions);
  for (std::size_t k = 0; k < 8; ++k) {
    if (k < 6)
      EXPECT_NEAR(motions.stiffness[k], 0, 1e-6);
    else
      EXPECT_GT(motions.stiffness[k], 0.05);
    // No translation of the whole.
    for (Eigen::Index a = 0; a < 3; ++a)
      EXPECT_NEAR(u.col(static_cast<Eigen::Index>(k))(Eigen::seqN(a, topology.beads, 3)).sum(), 0, 1e-4);
  }
}

TEST(NormalModes, FewBeadsHaveFewModes) {
  RestraintTopology topology;
  topology.reference = {0, 0, 0, 3.8f, 0, 0, 5, 3, 0, 2, 4, 3};
  topology.beads = 4;
  topology.bonds = {{0, 1, 3.8f, 0}, {1, 2, 3.2f, 0}, {2, 3, 4.4f, 0}};
  const auto count = normal_modes(topology, 20).count;
  EXPECT_GE(count, 5u);  // 12 less 6 rigid ones; the stiffest may be left out
  EXPECT_LE(count, 6u);
}

TEST(Segments, AreCutWhereTheNetworkIsJoinedLeast) {
  const auto topology = globules({0, 16, 33});  // each 10 Å long: gaps of 6 and 7 Å
  const auto segment = segments(topology, 3);
  ASSERT_EQ(segment.size(), 81u);
  std::set<std::int32_t> names;
  for (std::size_t g = 0; g < 3; ++g) {
    names.insert(segment[27 * g]);
    for (std::size_t i = 0; i < 27; ++i) EXPECT_EQ(segment[27 * g + i], segment[27 * g]) << g << " " << i;
  }
  EXPECT_EQ(names.size(), 3u);
}

TEST(Segments, SmallModelsAreCutIntoFewer) {
  const auto segment = segments(globules({0}), 50);
  std::set<std::int32_t> names(segment.begin(), segment.end());
  EXPECT_EQ(names.size(), 2u);
}

TEST(SegmentMotions, MoveOneSegmentEach) {
  const auto topology = globules({0, 16, 33});
  const auto segment = segments(topology, 3);
  const auto motions = segment_motions(topology, 3);
  ASSERT_EQ(motions.count, 3u);
  const MatrixXd u = columns(motions);
  for (Eigen::Index s = 0; s < 3; ++s) {
    EXPECT_NEAR(u.col(s).norm(), 1, 1e-5);
    for (std::size_t i = 0; i < segment.size(); ++i)
      if (segment[i] != s) {
        EXPECT_EQ(u.col(s).segment(static_cast<Eigen::Index>(3 * i), 3).norm(), 0);
      }
  }
}

// The softest modes of adenylate kinase's open form lead to the closed one (Tama & Sanejouand 2001).
TEST(NormalModes, OfAnOpenEnzymeCloseIt) {
  const auto data = test_data();
  if (!data) GTEST_SKIP() << "no test data";
  const auto path = io::read_models(*data / "adk/adk_path_smooth_ca.pdb");
  const auto first = make_beads(path.front(), BeadLevel::residue).coordinates;
  const auto last = make_beads(path.back(), BeadLevel::residue);
  const auto closed = geometry::transformed(geometry::superpose(first, last.coordinates), first);
  Eigen::VectorXd change(static_cast<Eigen::Index>(closed.size()));
  for (std::size_t i = 0; i < closed.size(); ++i)
    change[static_cast<Eigen::Index>(i)] = closed[i] - last.coordinates[i];
  const Eigen::VectorXd overlap =
      columns(normal_modes(make_restraints(last, {}), 10)).transpose() * change.normalized();
  EXPECT_GT(overlap.cwiseAbs().maxCoeff(), 0.5);
  EXPECT_GT(overlap.squaredNorm(), 0.7);
}
